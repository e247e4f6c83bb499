//! The names of one template and their values: parameters, pseudo parameters, mappings, conditions,
//! resources. This module holds data; [`super::intrinsics`] evaluates the expressions that use the names.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

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
    /// The template's folder, where the files are that it names.
    pub(crate) folder: Option<&'a Path>,
    parameters: HashMap<String, Parameter>,
    mappings: Option<&'a Node>,
    conditions: Option<&'a Node>,
    resources: BTreeMap<String, NamedResource>,
    /// Names of brokers and their engines.
    engines: Vec<(String, String)>,
}

/// A resource as expressions see it.
pub(crate) struct NamedResource {
    pub(crate) kind: String,
    /// The value of `Ref`: text, or unknown.
    pub(crate) reference: Node,
    /// Its name, which is a part of its ARN.
    pub(crate) name: String,
}

fn is_function(kind: &str) -> bool {
    matches!(kind, "AWS::Serverless::Function" | "AWS::Lambda::Function")
}

enum Found<'a> {
    Declared(&'a NamedResource),
    Generated,
}

impl<'a> Scope<'a> {
    /// A scope without resources; [`Scope::add_resource`] adds them, because their names may use parameters.
    pub(crate) fn new(
        template: &'a Node,
        account: &'a Account,
        folder: Option<&'a Path>,
        parameters: HashMap<String, Parameter>,
    ) -> Self {
        Self {
            account,
            folder,
            parameters,
            mappings: template.get("Mappings"),
            conditions: template.get("Conditions"),
            resources: BTreeMap::new(),
            engines: Vec::new(),
        }
    }

    /// Adds a resource under a name: its logical id, or the name of something that SAM generates.
    pub(crate) fn add_resource(&mut self, name: &str, resource: NamedResource) {
        self.resources.insert(name.to_owned(), resource);
    }

    /// Whether a resource has this name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.resources.contains_key(name)
    }

    /// Whether a broker of the template with this name or ARN has this `EngineType`.
    pub(crate) fn has_engine(&self, broker: &str, engine: &str) -> bool {
        self.engines.iter().any(|(name, kind)| {
            kind.eq_ignore_ascii_case(engine)
                && (name == broker || broker.contains(&format!("broker:{name}:")))
        })
    }

    /// Sets the engine of the broker with this name.
    pub(crate) fn add_engine(&mut self, broker: &str, engine: &str) {
        self.engines.push((broker.to_owned(), engine.to_owned()));
    }

    /// The name of the function with this logical id.
    pub(crate) fn function(&self, id: &str) -> Option<&str> {
        self.resources.get(id).filter(|resource| is_function(&resource.kind)).map(|it| it.name.as_str())
    }

    /// The name of the function of which the resource with this logical id is an alias or a version.
    pub(crate) fn alias(&self, id: &str) -> Option<String> {
        let resource = self.resources.get(id).filter(|resource| resource.kind == "AWS::Lambda::Alias")?;
        let Node::Text(arn) = &resource.reference else { return None };
        resource_types::function_name(arn).map(str::to_owned)
    }

    /// Whether a function of the template has this name.
    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.resources.values().any(|resource| is_function(&resource.kind) && resource.name == name)
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
        match self.resource(name) {
            Some(Found::Declared(resource)) => match &resource.reference {
                Node::Unknown(reason) => Err((**reason).clone()),
                known => Ok(known.clone()),
            },
            Some(Found::Generated) => Ok(Node::text(name)),
            None => Err(TemplateError::at(path, format!("there is no parameter or resource named `{name}`"))),
        }
    }

    /// The value of `Fn::GetAtt [name, attribute]`.
    pub(crate) fn attribute(&self, name: &str, attribute: &str, path: &str) -> Result<Node, TemplateError> {
        match self.resource(name) {
            Some(Found::Declared(NamedResource { kind, name, .. })) => {
                resource_types::attribute(self.account, kind, name, attribute).map(Node::Text).ok_or_else(
                    || {
                        TemplateError::at(
                            path,
                            format!("the value of {name}.{attribute} ({kind}) is not known here"),
                        )
                    },
                )
            }
            Some(Found::Generated) => {
                Ok(Node::Text(resource_types::generated_attribute(self.account, name, attribute)))
            }
            None => Err(TemplateError::at(path, format!("there is no resource named `{name}`"))),
        }
    }

    /// A resource of the template, or one that SAM generates: its name begins with that of another, like
    /// `OrdersRole`.
    fn resource(&self, name: &str) -> Option<Found<'_>> {
        if let Some(resource) = self.resources.get(name) {
            return Some(Found::Declared(resource));
        }
        let generates = |(id, resource): (&String, &NamedResource)| {
            resource.kind.starts_with("AWS::Serverless::") && name.starts_with(id.as_str())
        };
        self.resources.iter().any(generates).then_some(Found::Generated)
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
