//! The banner's links to the pages that a person opens in a browser.

use sam_emulator::run::Platform;

/// The name and the path of each page.
const PAGES: [(&str, &str); 1] = [("API docs", "/api/docs")];

/// One line for each page of the template.
pub(crate) fn links(platform: &Platform) -> Vec<String> {
    let routes = || platform.plan.http.iter().flat_map(|api| &api.routes);
    let is_served = |path: &str| routes().any(|route| route.method == "GET" && route.path == path);
    let pages = PAGES.iter().filter(|(_, path)| is_served(path));
    pages.map(|(name, path)| format!("{name:<12} http://{}{path}", platform.settings.address)).collect()
}
