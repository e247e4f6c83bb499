//! What the readers of one template find out besides the plan: problems, and what has no effect here. Readers
//! go on after a problem, so that one run tells all of them.

use std::cell::RefCell;

use super::error::TemplateError;
use super::node::Cursor;
use crate::plan::{Notices, OtherTrigger};

/// Collects problems and notices.
#[derive(Default)]
pub(crate) struct Findings {
    problems: RefCell<Vec<TemplateError>>,
    notices: RefCell<Notices>,
}

impl Findings {
    /// Records a problem, once.
    pub(crate) fn problem(&self, problem: TemplateError) {
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// The value; `None` after recording why there is none.
    pub(crate) fn ok<T>(&self, result: Result<T, TemplateError>) -> Option<T> {
        result.map_err(|problem| self.problem(problem)).ok()
    }

    /// The value, or `default` after recording why there is none.
    pub(crate) fn or<T>(&self, default: T, result: Result<T, TemplateError>) -> T {
        self.ok(result).unwrap_or(default)
    }

    /// Checks the keys of a map: those of `read` have an effect, those of `ignored` have none and are noticed,
    /// and any other is a problem.
    pub(crate) fn only(&self, at: &Cursor<'_>, read: &[&str], ignored: &[&str]) {
        for (key, value) in self.or(Vec::new(), at.entries()) {
            if ignored.contains(&key) {
                self.ignored_property(key);
            } else if !read.contains(&key) {
                self.problem(value.error("this property is not supported: remove it, or check its spelling"));
            }
        }
    }

    /// A resource of this type is passed over.
    pub(crate) fn ignored_type(&self, kind: &str) {
        *self.notices.borrow_mut().resource_types.entry(kind.to_owned()).or_default() += 1;
    }

    /// A property of this name has no effect.
    pub(crate) fn ignored_property(&self, name: &str) {
        self.notices.borrow_mut().properties.insert(name.to_owned());
    }

    /// Something invokes a function on AWS and not here.
    pub(crate) fn other_trigger(&self, function: impl Into<String>, source: impl Into<String>) {
        let trigger = OtherTrigger { function: function.into(), source: source.into() };
        let mut notices = self.notices.borrow_mut();
        if !notices.other_triggers.contains(&trigger) {
            notices.other_triggers.push(trigger);
        }
    }

    /// A sentence about something that behaves in another way than on AWS.
    pub(crate) fn remark(&self, text: impl Into<String>) {
        let text = text.into();
        let mut notices = self.notices.borrow_mut();
        if !notices.remarks.contains(&text) {
            notices.remarks.push(text);
        }
    }

    /// All problems and notices.
    pub(crate) fn finish(self) -> (Vec<TemplateError>, Notices) {
        (self.problems.into_inner(), self.notices.into_inner())
    }
}
