//! `Fn::Split`, `Fn::Select`, `Fn::Length`, `Fn::GetAZs` and `Fn::Cidr`.

use std::net::Ipv4Addr;

use super::{arguments, resolved_text, try_resolve};
use crate::template::error::TemplateError;
use crate::template::node::{Cursor, Node};
use crate::template::scope::Scope;

pub(super) fn split(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let [separator, text] = arguments(argument, "Fn::Split")?;
    let separator = separator.text()?;
    if separator.is_empty() {
        return Err(argument.error("Fn::Split needs a delimiter that is not empty"));
    }
    let text = resolved_text(scope, &text)?;
    Ok(Node::List(text.split(separator).map(Node::text).collect()))
}

pub(super) fn select(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let [index, items] = arguments(argument, "Fn::Select")?;
    let resolved = try_resolve(scope, &index)?;
    let index = Cursor::new(&resolved, index.path).number(0, u64::from(u32::MAX))?;
    let list = try_resolve(scope, &items)?;
    let items = Cursor::new(&list, items.path).items()?;
    let item = items.get(index as usize);
    item.map(|item| item.node.clone()).ok_or_else(|| {
        argument
            .error(format!("there is no item {index}: the list has {} items, the first is 0", items.len()))
    })
}

pub(super) fn length(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let list = try_resolve(scope, argument)?;
    Ok(Node::Text(Cursor::new(&list, argument.path.clone()).items()?.len().to_string()))
}

/// Three zones of the region; no network is created in them.
pub(super) fn zones(scope: &Scope<'_>) -> Node {
    let region = &scope.account.region;
    Node::List(["a", "b", "c"].map(|zone| Node::text(format!("{region}{zone}"))).into())
}

/// `Fn::Cidr [block, count, bits]`: that many subnets of an IPv4 block, each with `bits` bits of addresses.
pub(super) fn cidr(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let items = argument.items()?;
    let [block, count, rest @ ..] = items.as_slice() else {
        return Err(argument.error("Fn::Cidr takes a block, a count and the bits of addresses"));
    };
    let number = |at: &Cursor<'_>, min, max| {
        let value = try_resolve(scope, at)?;
        Cursor::new(&value, at.path.clone()).number(min, max)
    };
    let bits = rest.first().map_or(Ok(8), |bits| number(bits, 4, 30))?;
    let text = resolved_text(scope, block)?;
    let start: Option<Ipv4Addr> = text.split('/').next().and_then(|address| address.parse().ok());
    let start = start.ok_or_else(|| block.error(format!("expected an IPv4 block, found `{text}`")))?;
    let subnet = |index: u64| {
        let address = Ipv4Addr::from(u32::from(start).wrapping_add((index << bits) as u32));
        Node::text(format!("{address}/{}", 32 - bits))
    };
    Ok(Node::List((0..number(count, 1, 256)?).map(subnet).collect()))
}
