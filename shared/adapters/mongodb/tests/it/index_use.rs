//! Checks, without a server, that a read can use an index of the list: its filter must contain the first key of an
//! index and, for a partial index, the index's field. The check does not depend on a server's query planner.

use adapter_mongodb::INDEXES;
use mongodb::bson::{Bson, Document};

/// The filters of a read command that no index can serve, for an assertion's message.
pub(crate) fn without_index(read: &Document) -> Vec<String> {
    let (name, collection) = read.iter().next().unwrap();
    let collection = collection.as_str().unwrap();
    let filters = match name.as_str() {
        "find" => vec![(collection.to_owned(), read.get_document("filter").unwrap().clone())],
        "aggregate" => pipeline_filters(collection, read.get_array("pipeline").unwrap()),
        other => panic!("not a read command: {other}"),
    };
    let unserved = filters.iter().filter(|(collection, filter)| !uses_index(collection, filter));
    unserved.map(|read| format!("{read:?}")).collect()
}

/// The filters by which a pipeline reads: its first `$match`, and one for each `$lookup`.
fn pipeline_filters(collection: &str, stages: &[Bson]) -> Vec<(String, Document)> {
    let stages: Vec<&Document> = stages.iter().filter_map(Bson::as_document).collect();
    let matched = stages.first().and_then(|stage| stage.get_document("$match").ok()).cloned();
    let mut filters = vec![(collection.to_owned(), matched.unwrap_or_default())];
    for lookup in stages.iter().filter_map(|stage| stage.get_document("$lookup").ok()) {
        let from = lookup.get_str("from").unwrap();
        if let Ok(field) = lookup.get_str("foreignField") {
            filters.push((from.to_owned(), mongodb::bson::doc! { field: 1 }));
        }
        if let Ok(pipeline) = lookup.get_array("pipeline") {
            filters.extend(pipeline_filters(from, pipeline));
        }
    }
    filters
}

fn uses_index(collection: &str, filter: &Document) -> bool {
    let fields = fields(filter);
    let has = |field: &str| fields.iter().any(|f| f == field);
    let by_index = INDEXES
        .iter()
        .filter(|index| index.collection == collection)
        .any(|index| index.keys.first().is_some_and(|(key, _)| has(key)) && index.only_with.is_none_or(has));
    let by_branches = filter.get_array("$or").is_ok_and(|branches| {
        branches.iter().filter_map(Bson::as_document).all(|branch| uses_index(collection, branch))
    });
    has("_id") || by_index || by_branches
}

/// The fields that a filter restricts, including the equalities in `$expr`.
fn fields(filter: &Document) -> Vec<String> {
    let mut fields: Vec<String> = filter.keys().filter(|key| !key.starts_with('$')).cloned().collect();
    if let Ok(expression) = filter.get_document("$expr") {
        let all = expression.get_array("$and").cloned().unwrap_or_default();
        let equal = all.iter().filter_map(|e| e.as_document()?.get_array("$eq").ok()?.first()?.as_str());
        fields.extend(equal.filter_map(|field| Some(field.strip_prefix('$')?.to_owned())));
    }
    fields
}
