//! Which route answers: `GET /users/7` → `GET /users/{id}` with `id = 7`. Pure.
//!
//! Priority (contract §3.1): a full match of method and path, static segments before `{param}`; then a
//! greedy `{name+}`; then `$default`. A route with the request's own method beats `ANY` at the same path.

use std::borrow::Cow;
use std::cmp::Ordering;

use percent_encoding::percent_decode_str;

use crate::plan::HttpRoutePlan;

/// Routes in the order in which they are tried.
#[derive(Debug)]
pub struct Router {
    routes: Vec<Route>,
}

/// One route, ready to be matched.
#[derive(Debug)]
pub struct Route {
    /// What the template said.
    pub plan: HttpRoutePlan,
    /// `GET /users/{id}` or `$default`: the event's `routeKey`.
    pub key: String,
    segments: Vec<Segment>,
}

/// The derived order is the gateway's: static, then parameter, then greedy.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Static(String),
    Parameter(String),
    Greedy(String),
}

/// A route with the values of its path parameters, decoded.
#[derive(Debug)]
pub struct Match<'a> {
    /// The route.
    pub route: &'a Route,
    /// Names and values, in path order.
    pub parameters: Vec<(&'a str, String)>,
}

impl Router {
    /// Prepares the routes of one API.
    #[must_use]
    pub fn new(plans: &[HttpRoutePlan]) -> Self {
        let mut routes: Vec<Route> = plans.iter().map(Route::new).collect();
        routes.sort_by(Route::priority);
        Self { routes }
    }

    /// Finds the route for a request; `path` is without the stage, still percent-encoded.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let path = without_trailing_slash(path);
        self.routes
            .iter()
            .filter(|route| route.plan.method == "ANY" || route.plan.method == method)
            .find_map(|route| Some(Match { route, parameters: route.accepts(path)? }))
    }
}

impl Route {
    fn new(plan: &HttpRoutePlan) -> Self {
        let is_default = plan.path == "$default";
        Self {
            key: if is_default { plan.path.clone() } else { format!("{} {}", plan.method, plan.path) },
            segments: if is_default { Vec::new() } else { segments(&plan.path).map(Segment::new).collect() },
            plan: plan.clone(),
        }
    }

    /// Whether this is the catch-all route.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.key == "$default"
    }

    fn priority(&self, other: &Self) -> Ordering {
        let class = |route: &Self| match route.segments.last() {
            _ if route.is_default() => 2,
            Some(Segment::Greedy(_)) => 1,
            _ => 0,
        };
        let shape = |route: &Self| route.segments.iter().map(Segment::rank).collect::<Vec<_>>();
        // Longer first: `/a/{rest+}` is closer to `/a/b/c` than `/{rest+}`.
        let length = |route: &Self| usize::MAX - route.segments.len();
        (class(self), shape(self), length(self), self.plan.method == "ANY").cmp(&(
            class(other),
            shape(other),
            length(other),
            other.plan.method == "ANY",
        ))
    }

    fn accepts<'a>(&'a self, path: &str) -> Option<Vec<(&'a str, String)>> {
        if self.is_default() {
            return Some(Vec::new());
        }
        let mut parameters = Vec::new();
        let mut rest = path.strip_prefix('/')?;
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                rest = rest.strip_prefix('/')?;
            }
            let (given, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            match segment {
                Segment::Static(text) if decoded(given) == text.as_str() => rest = after,
                Segment::Parameter(name) if !given.is_empty() => {
                    parameters.push((name.as_str(), decoded(given).into_owned()));
                    rest = after;
                }
                Segment::Greedy(name) if !rest.is_empty() => {
                    parameters.push((name.as_str(), decoded(rest).into_owned()));
                    rest = "";
                }
                _ => return None,
            }
        }
        rest.is_empty().then_some(parameters)
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            None => Self::Static(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Static(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

/// Decodes `%XX`; bytes that are not UTF-8 become U+FFFD, and `+` stays a plus.
fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

/// `/a/b` → `a`, `b`; `/` → nothing.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

/// `/hello/` is `/hello`, for requests and for declared paths; `/` stays.
pub(crate) fn without_trailing_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    }
}

/// Checks a path that a template declares.
///
/// # Errors
/// What is wrong with the path: no leading `/`, an empty segment, a misplaced or repeated parameter.
pub fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(format!("`{path}` must start with /"));
    }
    let parts: Vec<&str> = segments(without_trailing_slash(path)).collect();
    let mut names = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let name = match Segment::new(part) {
            Segment::Greedy(_) if index + 1 < parts.len() => {
                return Err(format!("the greedy parameter {part} must be the last segment"));
            }
            Segment::Greedy(name) | Segment::Parameter(name) => name,
            Segment::Static(text) if text.is_empty() => {
                return Err(format!("`{path}` has an empty segment"));
            }
            Segment::Static(text) if text.contains(['{', '}']) => {
                return Err(format!("`{text}`: a parameter must be a whole segment, like {{name}}"));
            }
            Segment::Static(_) => continue,
        };
        if name.is_empty() || names.contains(&name) {
            return Err(format!("{part}: every parameter of a path needs a name, different from the others"));
        }
        names.push(name);
    }
    Ok(())
}
