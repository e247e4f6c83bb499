//! Switches of the HTTP API, where the evidence about AWS disagrees. The defaults have the better evidence.

/// How the gateway reads a request's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpApiOptions {
    /// Whether `%2F` becomes a slash before the route is selected and in the event's `rawPath`. A capture of
    /// 2026 shows the decoded slash, as does the rest of the path in the events that aws-lambda-dotnet
    /// recorded in April 2025 (`V2_SpecialCharactersInPath`); a capture of 2020 shows `%2F`.
    pub decodes_slashes: bool,
    /// Whether `/hello/` selects the route `/hello`. aws-powertools/powertools-lambda-python#1552 tested it on
    /// AWS; another report says that it is 404. A greedy parameter keeps the slash either way.
    pub ignores_trailing_slash: bool,
}

impl Default for HttpApiOptions {
    fn default() -> Self {
        Self { decodes_slashes: true, ignores_trailing_slash: true }
    }
}
