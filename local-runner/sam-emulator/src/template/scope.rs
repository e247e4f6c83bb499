//! What names mean in one template: parameters, pseudo parameters, mappings, conditions and resources.
//! Built once; [`super::intrinsics`] looks everything up here.

use std::collections::{BTreeMap, HashMap};

use super::TemplateError;
use super::intrinsics::resolve;
use super::known;
use super::node::{Cursor, Node, join};
use crate::plan::Account;

/// Names in scope.
pub(crate) struct Scope<'a> {
    pub(crate) account: &'a Account,
    pub(crate) stack: String,
    parameters: HashMap<String, Parameter>,
    mappings: Option<&'a Node>,
    conditions: Option<&'a Node>,
    resources: BTreeMap<String, Named>,
}

/// A parameter with its value, or the reason why it has none (told only when something asks for it).
enum Parameter {
    Value(Node),
    Missing,
}

/// A resource as others see it.
struct Named {
    kind: String,
    /// What `Ref` returns.
    reference: String,
}

impl<'a> Scope<'a> {
    /// Reads the sections that give names. Parameter values come from `overrides` first.
    pub(crate) fn read(
        template: &'a Node,
        account: &'a Account,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let mut scope = Self {
            account,
            stack: "local".to_owned(),
            parameters: read_parameters(template, overrides)?,
            mappings: template.get("Mappings"),
            conditions: template.get("Conditions"),
            resources: BTreeMap::new(),
        };
        scope.resources = scope.name_resources(template)?;
        Ok(scope)
    }

    /// What `Ref name` (and `${name}`) stands for.
    pub(crate) fn reference(&self, name: &str, path: &str) -> Result<Node, TemplateError> {
        if let Some(value) = self.pseudo(name) {
            return Ok(value);
        }
        match self.parameters.get(name) {
            Some(Parameter::Value(value)) => return Ok(value.clone()),
            Some(Parameter::Missing) => return Err(missing(name)),
            None => {}
        }
        match self.resources.get(name) {
            Some(resource) => Ok(Node::text(&resource.reference)),
            None => Err(TemplateError::at(path, format!("`{name}` names no parameter and no resource"))),
        }
    }

    /// What `Fn::GetAtt [name, attribute]` stands for.
    pub(crate) fn attribute(&self, name: &str, attribute: &str, path: &str) -> Result<Node, TemplateError> {
        let resource = self
            .resources
            .get(name)
            .ok_or_else(|| TemplateError::at(path, format!("`{name}` names no resource")))?;
        known::attribute(self.account, &resource.kind, &resource.reference, attribute)
            .map(Node::Text)
            .ok_or_else(|| {
                TemplateError::at(path, format!("{} has no attribute `{attribute}` here", resource.kind))
            })
    }

    /// The value of a condition, by name.
    pub(crate) fn condition(&self, name: &str, path: &str, depth: usize) -> Result<bool, TemplateError> {
        let node = self.conditions.and_then(|conditions| conditions.get(name));
        let Some(node) = node else {
            return Err(TemplateError::at(path, format!("`{name}` names no condition")));
        };
        super::intrinsics::truth(self, &Cursor::new(node, join("Conditions", name)), depth)
    }

    /// A value of `Mappings`.
    pub(crate) fn mapping(&self, keys: [&str; 3], path: &str) -> Result<Node, TemplateError> {
        keys.iter().try_fold(self.mappings, |node, key| Some(node?.get(key))).flatten().cloned().ok_or_else(
            || TemplateError::at(path, format!("Mappings has no {}.{}.{}", keys[0], keys[1], keys[2])),
        )
    }

    /// Whether the resource exists: its `Condition`, if it has one, holds.
    pub(crate) fn exists(&self, resource: &Cursor<'_>) -> Result<bool, TemplateError> {
        match resource.get("Condition") {
            Some(condition) => self.condition(condition.text()?, &condition.path, 0),
            None => Ok(true),
        }
    }

    fn pseudo(&self, name: &str) -> Option<Node> {
        let text = match name {
            "AWS::NoValue" => return Some(Node::Null),
            "AWS::NotificationARNs" => return Some(Node::List(Vec::new())),
            "AWS::AccountId" => self.account.id.clone(),
            "AWS::Region" => self.account.region.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackName" => self.stack.clone(),
            "AWS::StackId" => self.account.arn("cloudformation", &format!("stack/{}/0", self.stack)),
            _ => return None,
        };
        Some(Node::Text(text))
    }

    /// First pass over the resources: what `Ref` gives. Names may use parameters, not other resources.
    fn name_resources(&self, template: &'a Node) -> Result<BTreeMap<String, Named>, TemplateError> {
        let mut named = BTreeMap::new();
        // SAM creates this API as soon as an HttpApi event names no other.
        named.insert(
            "ServerlessHttpApi".to_owned(),
            Named::new("AWS::Serverless::HttpApi", "ServerlessHttpApi"),
        );
        let empty = Node::Null;
        let resources = Cursor::new(template.get("Resources").unwrap_or(&empty), "Resources");
        for (id, resource) in resources.entries()? {
            if !self.exists(&resource)? {
                continue;
            }
            let kind = resource.need("Type")?.text()?;
            let given = resource.get("Properties").and_then(|it| it.get(known::name_property(kind)?));
            let reference = match given {
                Some(name) => Cursor::new(&resolve(self, &name)?, name.path).text()?.to_owned(),
                None => id.to_owned(),
            };
            for route in known::generated_routes(kind, id, &resource) {
                named.insert(route.clone(), Named::new("AWS::ApiGatewayV2::Route", &route));
            }
            named.insert(id.to_owned(), Named::new(kind, &reference));
        }
        Ok(named)
    }
}

impl Named {
    fn new(kind: &str, reference: &str) -> Self {
        Self { kind: kind.to_owned(), reference: reference.to_owned() }
    }
}

fn read_parameters(
    template: &Node,
    overrides: &BTreeMap<String, String>,
) -> Result<HashMap<String, Parameter>, TemplateError> {
    let empty = Node::Null;
    let section = Cursor::new(template.get("Parameters").unwrap_or(&empty), "Parameters");
    section
        .entries()?
        .into_iter()
        .map(|(name, at)| Ok((name.to_owned(), read_parameter(name, &at, overrides)?)))
        .collect()
}

fn read_parameter(
    name: &str,
    at: &Cursor<'_>,
    overrides: &BTreeMap<String, String>,
) -> Result<Parameter, TemplateError> {
    let kind = at.need("Type")?;
    if kind.text()?.starts_with("AWS::SSM::") {
        return Err(kind.refuse("the local runner has no SSM Parameter Store"));
    }
    let text = match overrides.get(name).or_else(|| overrides.get(&environment_name(name))) {
        Some(text) => text.clone(),
        None => match at.node.get("Default") {
            Some(Node::Text(text)) => text.clone(),
            Some(Node::Null) => String::new(),
            _ => return Ok(Parameter::Missing),
        },
    };
    if let Some(allowed) = at.get("AllowedValues")
        && !allowed.texts()?.contains(&text)
    {
        return Err(allowed.refuse(format!("`{text}` is not among the allowed values")));
    }
    let list = kind.text()? == "CommaDelimitedList" || kind.text()?.starts_with("List<");
    Ok(Parameter::Value(if list {
        Node::List(text.split(',').map(|item| Node::text(item.trim())).collect())
    } else {
        Node::Text(text)
    }))
}

/// `MongodbUri` → `MONGODB_URI`: the environment variable that sets a parameter.
fn environment_name(parameter: &str) -> String {
    let mut name = String::with_capacity(parameter.len() + 4);
    let mut previous_lower = false;
    for letter in parameter.chars() {
        if letter.is_ascii_uppercase() && previous_lower {
            name.push('_');
        }
        previous_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn missing(name: &str) -> TemplateError {
    let variable = environment_name(name);
    TemplateError::at(
        &join("Parameters", name),
        format!("no Default and no value: set {variable} in the environment or in --env-file"),
    )
}
