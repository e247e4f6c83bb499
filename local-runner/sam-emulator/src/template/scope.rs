//! The names of one template and their values: parameters, pseudo parameters, mappings, conditions,
//! resources. This module holds data; [`super::intrinsics`] evaluates the expressions that use the names.

use std::collections::{BTreeMap, HashMap};

use super::error::TemplateError;
use super::node::{Cursor, Node, join};
use super::parameters::{self, Parameter};
use super::resource_types;
use crate::plan::Account;

/// `AWS::StackName` of every template.
const STACK: &str = "local";

/// Every name that an expression can refer to.
pub(crate) struct Scope<'a> {
    pub(crate) account: &'a Account,
    parameters: HashMap<String, Parameter>,
    mappings: Option<&'a Node>,
    conditions: Option<&'a Node>,
    resources: BTreeMap<String, NamedResource>,
}

/// A resource as expressions see it.
pub(crate) struct NamedResource {
    pub(crate) kind: String,
    /// The value of `Ref`.
    pub(crate) reference: String,
}

impl<'a> Scope<'a> {
    /// A scope without resources; [`Scope::set_resources`] adds them, because their names may use parameters.
    pub(crate) fn new(
        template: &'a Node,
        account: &'a Account,
        parameters: HashMap<String, Parameter>,
    ) -> Self {
        Self {
            account,
            parameters,
            mappings: template.get("Mappings"),
            conditions: template.get("Conditions"),
            resources: BTreeMap::new(),
        }
    }

    /// Sets the resources by logical id.
    pub(crate) fn set_resources(&mut self, resources: BTreeMap<String, NamedResource>) {
        self.resources = resources;
    }

    /// The value of `Ref name` and of `${name}`.
    pub(crate) fn reference(&self, name: &str, path: &str) -> Result<Node, TemplateError> {
        if let Some(value) = self.pseudo_parameter(name) {
            return Ok(value);
        }
        match self.parameters.get(name) {
            Some(Parameter::Value(value)) => return Ok(value.clone()),
            Some(Parameter::Missing) => return Err(parameters::missing(name)),
            None => {}
        }
        match self.resources.get(name) {
            Some(resource) => Ok(Node::text(&resource.reference)),
            None => Err(TemplateError::at(path, format!("there is no parameter or resource named `{name}`"))),
        }
    }

    /// The value of `Fn::GetAtt [name, attribute]`.
    pub(crate) fn attribute(&self, name: &str, attribute: &str, path: &str) -> Result<Node, TemplateError> {
        let resource = self
            .resources
            .get(name)
            .ok_or_else(|| TemplateError::at(path, format!("there is no resource named `{name}`")))?;
        resource_types::attribute(self.account, &resource.kind, &resource.reference, attribute)
            .map(Node::Text)
            .ok_or_else(|| {
                TemplateError::at(path, format!("{} has no attribute `{attribute}`", resource.kind))
            })
    }

    /// The expression of a condition.
    pub(crate) fn condition(&self, name: &str, path: &str) -> Result<Cursor<'a>, TemplateError> {
        let node = self.conditions.and_then(|conditions| conditions.get(name));
        let node =
            node.ok_or_else(|| TemplateError::at(path, format!("there is no condition named `{name}`")))?;
        Ok(Cursor::new(node, join("Conditions", name)))
    }

    /// A value of `Mappings`.
    pub(crate) fn mapping(&self, keys: [&str; 3], path: &str) -> Result<Node, TemplateError> {
        keys.iter().try_fold(self.mappings, |node, key| Some(node?.get(key))).flatten().cloned().ok_or_else(
            || TemplateError::at(path, format!("Mappings has no {}.{}.{}", keys[0], keys[1], keys[2])),
        )
    }

    fn pseudo_parameter(&self, name: &str) -> Option<Node> {
        let text = match name {
            "AWS::NoValue" => return Some(Node::Null),
            "AWS::NotificationARNs" => return Some(Node::List(Vec::new())),
            "AWS::AccountId" => self.account.id.clone(),
            "AWS::Region" => self.account.region.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackName" => STACK.to_owned(),
            "AWS::StackId" => self.account.arn("cloudformation", &format!("stack/{STACK}/0")),
            _ => return None,
        };
        Some(Node::Text(text))
    }
}
