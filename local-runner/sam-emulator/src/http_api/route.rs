//! Selecting the route of a request: `GET /users/7` → `GET /users/{id}` with `id = 7`.
//!
//! Priority (API Gateway guide, `http-api-develop-routes`): routes without a greedy `{name+}`, static
//! segments before `{param}`; then greedy routes; then `$default`. At the same path, the request's own method
//! has precedence over `ANY`.

use std::cmp::Reverse;

use super::options::HttpApiOptions;
use super::path;
use crate::plan::HttpRoutePlan;

/// The routes of one API, in order of priority.
#[derive(Debug)]
pub struct Router {
    routes: Vec<Route>,
    options: HttpApiOptions,
}

/// One route with its parsed path.
#[derive(Debug)]
pub struct Route {
    /// The route of the template.
    pub plan: HttpRoutePlan,
    /// The event's `routeKey`: `GET /users/{id}` or `$default`.
    pub key: String,
    segments: Vec<Segment>,
}

/// One segment of a path.
#[derive(Debug)]
enum Segment {
    Static(String),
    Parameter(String),
    Greedy(String),
}

/// The route that a request selects.
#[derive(Debug)]
pub struct RouteMatch<'a> {
    /// The route itself.
    pub route: &'a Route,
    /// Names and decoded values of the path parameters, in path order.
    pub parameters: Vec<(&'a str, String)>,
}

impl Router {
    /// Parses and sorts the routes of one API. Their paths must have passed [`check_path`].
    #[must_use]
    pub fn new(plans: &[HttpRoutePlan], options: HttpApiOptions) -> Self {
        let mut routes: Vec<Route> = plans.iter().map(Route::new).collect();
        routes.sort_by_cached_key(Route::priority);
        Self { routes, options }
    }

    /// Selects the route of a request; `None` is the gateway's 404. `path` has no stage and is
    /// percent-encoded.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<RouteMatch<'_>> {
        let path = path::decode(path, self.options);
        self.routes
            .iter()
            .filter(|route| route.plan.method == "ANY" || route.plan.method == method)
            .find_map(|route| Some(RouteMatch { route, parameters: route.parameters(&path, self.options)? }))
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

    /// Whether this is the route of every request that no other route matches.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.key == "$default"
    }

    /// The order of priority among the routes of several APIs: less comes first.
    pub(crate) fn precedence(&self) -> impl Ord + use<> {
        self.priority()
    }

    /// The sort key of the order of priority.
    fn priority(&self) -> (u8, Vec<u8>, Reverse<usize>, bool) {
        let class = match self.segments.last() {
            _ if self.is_default() => 2,
            Some(Segment::Greedy(_)) => 1,
            _ => 0,
        };
        let ranks = self.segments.iter().map(Segment::rank).collect();
        // Longer paths first: for `/a/b/c`, `/a/{rest+}` is more specific than `/{rest+}`.
        (class, ranks, Reverse(self.segments.len()), self.plan.method == "ANY")
    }

    /// The path parameters; `None` when the path, which is decoded, does not match.
    fn parameters<'a>(&'a self, path: &str, options: HttpApiOptions) -> Option<Vec<(&'a str, String)>> {
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
                Segment::Static(text) if given == text => rest = after,
                Segment::Parameter(name) if !given.is_empty() => {
                    parameters.push((name.as_str(), path::parameter(given, options)));
                    rest = after;
                }
                Segment::Greedy(name) if !rest.is_empty() => {
                    parameters.push((name.as_str(), path::parameter(rest, options)));
                    rest = "";
                }
                _ => return None,
            }
        }
        let has_ended = rest.is_empty() || (rest == "/" && options.ignores_trailing_slash);
        has_ended.then_some(parameters)
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

    /// Position in the order of priority.
    fn rank(&self) -> u8 {
        match self {
            Self::Static(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

/// `/a/b` → `a`, `b`; `/` has no segments.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

/// `/hello/` → `/hello`, for declared paths; `/` is unchanged.
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
