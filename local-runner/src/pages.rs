//! The pages that a person opens in a browser: the end of the banner.

use sam_emulator::plan::Plan;
use sam_emulator::runner::Page;

/// Our pages. `--open` opens the first.
const PAGES: [Page; 2] = [
    Page { name: "chat", path: "/", hint: "register in two windows and write to each other" },
    Page { name: "API docs", path: "/api/docs", hint: "read the API and try every route" },
];

/// Those pages that the template has: the runner runs other templates, too.
pub(crate) fn pages(plan: &Plan) -> Vec<Page> {
    let is_served = |page: &Page| {
        let mut routes = plan.http.iter().flat_map(|api| &api.routes);
        routes.any(|route| route.method == "GET" && route.path == page.path)
    };
    PAGES.into_iter().filter(is_served).collect()
}
