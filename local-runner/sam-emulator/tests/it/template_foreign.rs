//! Templates as people write them: what has nothing to run here is ignored and reported, every trigger
//! is listed, and all problems are reported at once.

use std::collections::BTreeMap;

use expect_test::expect;
use sam_emulator::plan::{Notices, Plan};
use sam_emulator::{overview, template};

fn read(text: &str) -> Plan {
    template::read(text, &BTreeMap::new()).unwrap()
}

fn notices(text: &str) -> Notices {
    read(text).notices
}

/// What invokes functions on AWS and not here, a line each.
fn not_run(text: &str) -> String {
    let triggers = notices(text).other_triggers.into_iter();
    triggers.map(|trigger| format!("{} -> {}\n", trigger.source, trigger.function)).collect()
}

fn problems(text: &str) -> String {
    template::read(text, &BTreeMap::new()).unwrap_err().to_string()
}

#[test]
fn a_name_may_be_made_from_the_names_of_other_resources() {
    let plan = read(
        "
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Sub '${T}-reader' } }
  T: { Type: AWS::DynamoDB::Table, Properties: { TableName: !Join ['-', [my, !Ref L]] } }
  L: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: group } }
  G: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: !Sub '/aws/lambda/${F}' } }",
    );
    assert_eq!(plan.functions.keys().collect::<Vec<_>>(), ["my-group-reader"]);
}

#[test]
fn brackets_may_close_at_the_indentation_of_their_parent() {
    let plan = read(
        "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{
        Statement: [{ Effect: Allow }]
      }]
      Description: \"two
    lines\"
      Environment: { Variables: {
    A: b
      } }
      Timeout: 7",
    );
    assert_eq!(plan.functions["F"].timeout.as_secs(), 7);
    assert_eq!(plan.functions["F"].environment["A"], "b");
}

#[test]
fn what_invokes_a_function_and_is_not_run_is_noticed() {
    expect![[r#"
        SQS event Queue -> F
        AWS::SNS::Subscription Mail -> F
        AWS::SNS::Topic Inline -> F
        AWS::S3::Bucket Files -> F
        AWS::Logs::SubscriptionFilter Filter -> F
        AWS::Lambda::EventSourceMapping Stream -> F
        AWS::Events::Rule Pattern -> F
        AWS::StepFunctions::StateMachine Steps -> F
        Custom::Seed Seed -> F
        AWS::Serverless::Application Nested -> 
        Schedule event Nightly of AWS::Serverless::StateMachine Machine -> 
        AWS::ApiGatewayV2::ApiMapping Domain -> 
    "#]]
    .assert_eq(&not_run(
        "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      AutoPublishAlias: live
      Events: { Queue: { Type: SQS, Properties: { Queue: !GetAtt Q.Arn } } }
  Q: { Type: AWS::SQS::Queue }
  Mail: { Type: AWS::SNS::Subscription, Properties: { Protocol: lambda, Endpoint: !GetAtt F.Arn } }
  Inline: { Type: AWS::SNS::Topic, Properties: { Subscription: [{ Protocol: lambda, Endpoint: !Ref FAliaslive }] } }
  Files:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration: { LambdaConfigurations: [{ Event: 's3:*', Function: !GetAtt [F, Arn] }] }
  Filter: { Type: AWS::Logs::SubscriptionFilter, Properties: { DestinationArn: { 'Fn::Sub': '${F.Arn}:live' } } }
  Stream: { Type: AWS::Lambda::EventSourceMapping, Properties: { FunctionName: !Ref F, EventSourceArn: 'arn:aws:kinesis:::s' } }
  Pattern: { Type: AWS::Events::Rule, Properties: { EventPattern: { source: [x] }, Targets: [{ Id: a, Arn: !GetAtt F.Arn }] } }
  Steps: { Type: AWS::StepFunctions::StateMachine, Properties: { DefinitionSubstitutions: { F: !GetAtt F.Arn } } }
  Seed: { Type: 'Custom::Seed', Properties: { ServiceToken: !GetAtt F.Arn } }
  Nested: { Type: AWS::Serverless::Application, Properties: { Location: other.yaml } }
  Machine: { Type: AWS::Serverless::StateMachine, Properties: { Events: { Nightly: { Type: Schedule } } } }
  Domain: { Type: AWS::ApiGatewayV2::ApiMapping }
  Allow: { Type: AWS::Lambda::Permission, Properties: { FunctionName: !Ref F } }
  Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { Dimensions: [{ Name: FunctionName, Value: !Ref F }] } }",
    ));
}

#[test]
fn the_functions_table_names_the_triggers_that_are_not_run() {
    let plan = read(
        "
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { Tags: { a: b }, Events: { New: { Type: S3, Properties: { Bucket: !Ref B } } } } }
  B: { Type: AWS::S3::Bucket }
  C: { Type: AWS::S3::Bucket }",
    );
    expect![[r#"
        FUNCTION  TIMEOUT  MEMORY  CALLED BY
        F         3 s      128 MB  S3 event New (not run here)
    "#]]
    .assert_eq(&overview::functions(&plan));
    expect![[r#"
        not run      S3 event New -> F
        ignored      resources: AWS::S3::Bucket (2)
        ignored      properties: Tags"#]]
    .assert_eq(&overview::notices(&plan).join("\n"));
}

#[test]
fn a_generated_role_and_an_unused_ssm_parameter_are_accepted() {
    let plan = read(
        "
Parameters: { Zone: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /zone } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{ Resource: !GetAtt FRole.Arn }, { Resource: !ImportValue other }]
      Environment: { Variables: { ROLE: !GetAtt FRole.Arn, API: !Sub 'https://${ServerlessHttpApi}/${R.Stage}' } }
  R: { Type: AWS::Serverless::Api, Properties: { StageName: v1 } }",
    );
    expect![[r#"
        {
            "API": "https://ServerlessHttpApi/v1",
            "ROLE": "arn:aws:iam::123456789012:role/FRole",
        }
    "#]]
    .assert_debug_eq(&plan.functions["F"].environment);
}

#[test]
fn references_have_the_form_that_aws_gives_them() {
    let plan = read(
        "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          BROKER: !GetAtt B.Arn
          QUEUE: !Ref Q
          QUEUE_ARN: !GetAtt Q.Arn
          TOPIC: !Ref T
          TABLE_ARN: !GetAtt D.Arn
          BUCKET_ARN: !GetAtt S.Arn
  B: { Type: AWS::AmazonMQ::Broker, Properties: { BrokerName: mail } }
  Q: { Type: AWS::SQS::Queue, Properties: { QueueName: jobs } }
  T: { Type: AWS::SNS::Topic }
  D: { Type: AWS::DynamoDB::Table }
  S: { Type: AWS::S3::Bucket, Properties: { BucketName: files } }",
    );
    expect![[r#"
        {
            "BROKER": "arn:aws:mq:us-east-1:123456789012:broker:mail:b-00000000-0000-4000-8000-000000000000",
            "BUCKET_ARN": "arn:aws:s3:::files",
            "QUEUE": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
            "QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:jobs",
            "TABLE_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/D",
            "TOPIC": "arn:aws:sns:us-east-1:123456789012:T",
        }
    "#]]
    .assert_debug_eq(&plan.functions["F"].environment);
}

#[test]
fn queues_of_an_activemq_broker_are_noticed_and_not_polled() {
    let template = |engine: &str| {
        format!(
            "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Jobs:
          Type: MQ
          Properties:
            Broker: !GetAtt B.Arn
            Queues: [jobs]
            SourceAccessConfigurations: [{{ Type: BASIC_AUTH, URI: secret }}]
  B: {{ Type: AWS::AmazonMQ::Broker, Properties: {{ BrokerName: mail, EngineType: {engine} }} }}"
        )
    };
    let active = read(&template("ActiveMQ"));
    assert!(active.queues.is_empty());
    assert_eq!(active.notices.other_triggers[0].function, "F");
    let rabbit = read(&template("RABBITMQ"));
    assert_eq!((rabbit.queues.len(), rabbit.notices.other_triggers.len()), (1, 0));
}

#[test]
fn a_variable_whose_value_only_aws_knows_is_left_out_and_noticed() {
    let plan = read(
        "
Parameters: { Key: { Type: String } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          A: !ImportValue shared-a
          B: '{{resolve:ssm:/b}}'
          C: !Ref Key
          D: !GetAtt Stack.Outputs.D
          E: e
  Stack: { Type: AWS::CloudFormation::Stack }",
    );
    assert_eq!(plan.functions["F"].environment.keys().collect::<Vec<_>>(), ["E"]);
    let place = "Resources.F.Properties.Environment.Variables";
    let remarks = plan.notices.remarks.join("\n").replace(place, "VARIABLES");
    expect![[r#"
        VARIABLES.A is not set (VARIABLES.A.Fn::ImportValue: the export shared-a of another stack has no value here); --env-file can set A
        VARIABLES.B is not set (VARIABLES.B: the value of {{resolve:ssm:/b}} is only known to AWS); --env-file can set B
        VARIABLES.C is not set (Parameters.Key: no Default and no value: set it with --parameter-overrides Key=VALUE); --env-file can set C
        VARIABLES.D is not set (VARIABLES.D.Fn::GetAtt: the value of Stack.Outputs.D (AWS::CloudFormation::Stack) is not known here); --env-file can set D"#]]
    .assert_eq(&remarks);
}

#[test]
fn all_problems_are_reported_at_once_each_with_its_place() {
    expect![[r#"
        8 problems:
          Resources.F.Properties.Memory: this property is not supported: remove it, or check its spelling
          Resources.F.Properties.Timeout: expected a whole number from 1 to 900, found `901`
          Resources.F.Properties.Events.A.Properties.Method: `fetch` is not supported; use GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or ANY
          Resources.F.Properties.Events.B.Properties.SourceAccessConfigurations: BASIC_AUTH is missing: name the secret with the broker's credentials
          Resources.F.Properties.Events.C.Properties.State: State and Enabled exclude each other; remove one
          Resources.S.Properties.Routes.$ping: `$ping` is not a route key: use $connect, $disconnect or $default
          Resources.S.Properties.Routes.a.FunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:other` is not the ARN of a function of this template
          Resources.G.Properties.Events.B.Properties: the path /a/{y} conflicts with /a/{x}: name their parameters alike"#]]
    .assert_eq(&problems(
        "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Memory: 1
      Timeout: 901
      Events:
        A: { Type: HttpApi, Properties: { Path: /a, Method: fetch } }
        B: { Type: MQ, Properties: { Broker: b, Queues: [q], SourceAccessConfigurations: [] } }
        C: { Type: Schedule, Properties: { Schedule: rate(1 hour), State: ENABLED, Enabled: true } }
  S:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes:
        $ping: { FunctionArn: !GetAtt F.Arn }
        a: { FunctionArn: !Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:other' }
  G:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: HttpApi, Properties: { Path: '/a/{x}', Method: get } }
        B: { Type: HttpApi, Properties: { Path: '/a/{y}', Method: get } }",
    ));
}

#[test]
fn what_has_a_problem_is_left_out_of_the_plan_and_the_rest_remains() {
    let text = "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: HttpApi, Properties: { Path: a, Method: get } }
        B: { Type: HttpApi, Properties: { Path: /b, Method: get } }";
    let source = template::Source { text, folder: None, values: &BTreeMap::new() };
    let (plan, problems) = template::load(source).unwrap();
    assert_eq!(problems.len(), 1);
    let routes: Vec<_> = plan.http[0].routes.iter().map(|route| route.path.as_str()).collect();
    assert_eq!(routes, ["/b"]);
}

#[test]
fn aliases_merge_keys_and_duplicate_keys_are_read_as_by_sam_cli() {
    let plan = read(
        "
Shared: &shared { Timeout: 9, MemorySize: 256 }
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { <<: *shared, MemorySize: 512 } }
  F: { Type: AWS::Serverless::Function, Properties: *shared }
Metadata: 1"
            .replace("Shared: &shared", "Mappings: &shared")
            .as_str(),
    );
    assert_eq!((plan.functions["F"].timeout.as_secs(), plan.functions["F"].memory_mb), (9, 256));
    expect!["line 5: the key `F` is used twice in one map; the last counts"]
        .assert_eq(&plan.notices.remarks.join("\n"));
}

#[test]
fn every_intrinsic_function_has_its_value() {
    let plan = read(
        "
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: { Names: { Type: CommaDelimitedList, Default: 'one,two' } }
Mappings: { M: { a: { b: c } } }
Conditions:
  Yes: !Equals [a, a]
  No: !Not [!Condition Yes]
Resources:
  'Fn::ForEach::Loop':
    - Name
    - !Ref Names
    - 'F${Name}':
        Type: AWS::Serverless::Function
        Properties:
          FunctionName: !Sub 'fn-${Name}'
          Environment:
            Variables:
              NAME: !Ref Name
              ZONES: !Join [',', !GetAZs '']
              ZONE: !Select [1, 'Fn::GetAZs': !Ref 'AWS::Region']
              CIDR: !Select [1, !Cidr [10.0.0.0/16, 2, 8]]
              LENGTH: !Length [a, b, c]
              JSON: !ToJsonString { a: [1, !Ref Name] }
              FALLBACK: !FindInMap [M, x, y, { DefaultValue: d }]
              FOUND: !FindInMap [M, a, b]
              IF: !If [No, x, !If [Yes, y, z]]
              GONE: !If [No, x, !Ref 'AWS::NoValue']
              MAP: !Sub ['${A}-${!B}-${Name}', { A: !Select [0, !Split ['.', 'x.y']] }]
              B64: !Base64 hi",
    );
    assert_eq!(plan.functions.keys().collect::<Vec<_>>(), ["fn-one", "fn-two"]);
    expect![[r#"
        {
            "B64": "aGk=",
            "CIDR": "10.0.1.0/24",
            "FALLBACK": "d",
            "FOUND": "c",
            "IF": "y",
            "JSON": "{\"a\":[\"1\",\"two\"]}",
            "LENGTH": "3",
            "MAP": "x-${B}-two",
            "NAME": "two",
            "ZONE": "us-east-1b",
            "ZONES": "us-east-1a,us-east-1b,us-east-1c",
        }
    "#]]
    .assert_debug_eq(&plan.functions["fn-two"].environment);
}
