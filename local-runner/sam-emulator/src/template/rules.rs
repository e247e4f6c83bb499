//! Triggers that are resources of their own: `AWS::Events::Rule`, `AWS::Scheduler::Schedule`,
//! `AWS::Lambda::EventSourceMapping`, `AWS::Lambda::Url`.

use super::context::{Context, text, text_or};
use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use super::{events, queue, resource_types};
use crate::plan::{Plan, ScheduleKind, SchedulePlan};

/// `AWS::Events::Rule`: a schedule for each of its functions. A rule with a pattern is noticed.
pub(crate) fn read_rule(
    context: &Context<'_>,
    resource: &Resource,
    plan: &mut Plan,
) -> Result<(), TemplateError> {
    let at = resource.properties();
    let Some(targets) = at.get("Targets") else { return Ok(()) };
    for target in targets.items()? {
        let arn = target.need("Arn")?;
        // A rule may have other targets: queues, state machines, buses.
        let function = match context.function(&arn) {
            Ok(function) => function,
            Err(_) => {
                let other = format!(
                    "AWS::Events::Rule {} with the target {}",
                    resource.id,
                    text_or(&target, "Arn", "")?
                );
                context.findings.other_trigger("", other);
                continue;
            }
        };
        let Some(expression) = at.get("ScheduleExpression") else {
            context.findings.other_trigger(function, format!("AWS::Events::Rule {}", resource.id));
            continue;
        };
        plan.schedules.push(SchedulePlan {
            name: text_or(&at, "Name", &resource.id)?,
            function,
            kind: ScheduleKind::Rule,
            expression: events::read_expression(&expression, ScheduleKind::Rule)?,
            timezone: "UTC".to_owned(),
            input: text(&target, "Input")?,
            start: None,
            end: None,
            enabled: text_or(&at, "State", "ENABLED")? != "DISABLED",
        });
    }
    Ok(())
}

/// `AWS::Scheduler::Schedule`, whose target may be something else than a function.
pub(crate) fn read_schedule(
    context: &Context<'_>,
    resource: &Resource,
    plan: &mut Plan,
) -> Result<(), TemplateError> {
    let at = resource.properties();
    let target = at.need("Target")?;
    match context.function(&target.need("Arn")?) {
        Ok(function) => {
            let mut schedule = events::read_scheduler(context, &at, &function, &resource.id)?;
            schedule.input = text(&target, "Input")?;
            plan.schedules.push(schedule);
        }
        Err(_) => {
            let arn = text_or(&target, "Arn", "")?;
            let other = format!("AWS::Scheduler::Schedule {} with the target {arn}", resource.id);
            context.findings.other_trigger("", other);
        }
    }
    Ok(())
}

/// `AWS::Lambda::EventSourceMapping`: a queue of RabbitMQ, or something that is not run here.
pub(crate) fn read_mapping(
    context: &Context<'_>,
    resource: &Resource,
    plan: &mut Plan,
) -> Result<(), TemplateError> {
    let at = resource.properties();
    let function = context.function(&at.need("FunctionName")?)?;
    if at.get("Queues").is_some() {
        let broker = text_or(&at, "EventSourceArn", "")?;
        plan.queues.extend(queue::read(context, &at, &broker, (&function, &resource.id))?);
    } else {
        context.findings.other_trigger(function, format!("AWS::Lambda::EventSourceMapping {}", resource.id));
    }
    Ok(())
}

/// The function of `AWS::Lambda::Url`.
pub(crate) fn url_target(context: &Context<'_>, at: &Cursor<'_>) -> Result<String, TemplateError> {
    let target = at.need("TargetFunctionArn")?;
    match resource_types::function_name(target.text()?) {
        Some(name) if context.scope.has_function(name) => Ok(name.to_owned()),
        _ => context.function(&target),
    }
}
