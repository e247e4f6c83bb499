//! Selecting a route of the HTTP API: priority, parameters, and the check of declared paths.

use std::time::Duration;

use sam_emulator::http_api::options::HttpApiOptions;
use sam_emulator::http_api::route::{Router, check_path};
use sam_emulator::plan::HttpRoutePlan;

fn router(keys: &[&str]) -> Router {
    Router::new(&plans(keys), HttpApiOptions::default())
}

fn plans(keys: &[&str]) -> Vec<HttpRoutePlan> {
    keys.iter()
        .map(|key| {
            let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
            HttpRoutePlan {
                authorizer: None,
                method: method.to_owned(),
                path: path.to_owned(),
                function: "f".to_owned(),
                timeout: Duration::from_secs(30),
                payload_format: "2.0".to_owned(),
            }
        })
        .collect()
}

/// `key name=value …`, or `""` without a route.
fn find(router: &Router, request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    let Some(found) = router.find(method, path) else { return String::new() };
    let parameters = found.parameters.iter().map(|(name, value)| format!(" {name}={value}"));
    format!("{}{}", found.route.key, parameters.collect::<String>())
}

#[test]
fn the_most_specific_route_is_selected_in_any_order_of_declaration() {
    let keys = [
        "$default",
        "ANY /{proxy+}",
        "GET /pets/{proxy+}",
        "GET /pets/dog/{id}",
        "GET /pets/{kind}/1",
        "GET /pets/dog/1",
        "ANY /pets/dog/1",
        "POST /pets/{kind}",
        "GET /",
    ];
    let cases = [
        ("GET /pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/1/", "GET /pets/dog/1"),
        ("PUT /pets/dog/1", "ANY /pets/dog/1"),
        ("GET /pets/dog/2", "GET /pets/dog/{id} id=2"),
        ("GET /pets/cat/1", "GET /pets/{kind}/1 kind=cat"),
        ("GET /pets/cat/2", "GET /pets/{proxy+} proxy=cat/2"),
        ("GET /pets", "ANY /{proxy+} proxy=pets"),
        ("POST /pets/cat", "POST /pets/{kind} kind=cat"),
        ("POST /test/5", "ANY /{proxy+} proxy=test/5"),
        ("GET /", "GET /"),
        ("POST /", "$default"),
        ("GET /pets/d%6Fg/a%20b", "GET /pets/dog/{id} id=a b"),
        ("GET /pets/dog/a%2Fb", "GET /pets/{proxy+} proxy=dog/a/b"),
        ("GET /pets/x/", "GET /pets/{proxy+} proxy=x/"),
    ];
    for order in [keys, {
        let mut reversed = keys;
        reversed.reverse();
        reversed
    }] {
        let router = router(&order);
        for (request, expected) in cases {
            assert_eq!(find(&router, request), expected, "{request}");
        }
    }
}

#[test]
fn a_request_that_matches_no_route_has_none() {
    let router = router(&["GET /a/{b}", "GET /c/{d+}"]);
    for request in
        ["GET /a", "GET /a/", "GET /a//", "GET /a/b/c", "POST /a/b", "GET /c", "GET /c/", "GET a/b", "GET *"]
    {
        assert_eq!(find(&router, request), "", "{request}");
    }
}

#[test]
fn an_invalid_path_in_the_template_is_an_error() {
    for path in ["/", "/a", "/a/", "/{a}", "/a/{b}/{c+}"] {
        assert_eq!(check_path(path), Ok(()), "{path}");
    }
    for path in ["", "a", "/a//b", "/{a+}/b", "/{}", "/{+}", "/a{b}", "/{a}/{a}", "/{a"] {
        assert!(check_path(path).is_err(), "{path}");
    }
}

#[test]
fn path_parameters_are_percent_decoded_and_malformed_escapes_stay() {
    let router = router(&["GET /{name}"]);
    for (path, name) in [
        ("/plain", "plain"),
        ("/a%20b+c", "a b+c"),
        ("/%C3%BC", "ü"),
        ("/%252F", "%2F"),
        ("/100%", "100%"),
        ("/%zz%4", "%zz%4"),
        ("/%ff", "\u{fffd}"),
        ("/%e2%82", "\u{fffd}"),
    ] {
        assert_eq!(find(&router, &format!("GET {path}")), format!("GET /{{name}} name={name}"), "{path}");
    }
}

#[test]
fn an_encoded_slash_is_decoded_before_the_route_is_selected() {
    let keys = ["PUT /conversations/{id}/read", "GET /files/{id}", "GET /all/{proxy+}"];
    let router = router(&keys);
    for (request, expected) in [
        ("PUT /conversations/x%2Fread", "PUT /conversations/{id}/read id=x"),
        ("PUT /conversations/x%2fread", "PUT /conversations/{id}/read id=x"),
        ("GET /files/a%2Fb", ""),
        ("GET /all/a%2Fb", "GET /all/{proxy+} proxy=a/b"),
    ] {
        assert_eq!(find(&router, request), expected, "{request}");
    }
    let kept = HttpApiOptions { decodes_slashes: false, ..HttpApiOptions::default() };
    let router = Router::new(&plans(&keys), kept);
    assert_eq!(find(&router, "GET /files/a%2Fb"), "GET /files/{id} id=a/b");
    assert_eq!(find(&router, "PUT /conversations/x%2Fread"), "");
}

#[test]
fn a_greedy_parameter_keeps_a_trailing_slash_and_other_routes_ignore_it_by_a_switch() {
    let keys = ["GET /hello", "GET /orders/{id}", "ANY /files/{path+}"];
    let strict = HttpApiOptions { ignores_trailing_slash: false, ..HttpApiOptions::default() };
    let (default, strict) = (router(&keys), Router::new(&plans(&keys), strict));
    for (request, by_default, when_strict) in [
        ("GET /files/a/", "ANY /files/{path+} path=a/", "ANY /files/{path+} path=a/"),
        ("GET /files/a%2F", "ANY /files/{path+} path=a/", "ANY /files/{path+} path=a/"),
        ("GET /hello/", "GET /hello", ""),
        ("GET /orders/7/", "GET /orders/{id} id=7", ""),
        ("GET /hello//", "", ""),
    ] {
        assert_eq!(find(&default, request), by_default, "{request}");
        assert_eq!(find(&strict, request), when_strict, "{request}");
    }
}
