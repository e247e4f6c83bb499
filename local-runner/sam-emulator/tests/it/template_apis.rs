//! HTTP APIs, REST APIs, function URLs and WebSocket APIs in every form in which templates declare them.

use std::collections::BTreeMap;
use std::fs;

use expect_test::expect;
use sam_emulator::plan::Plan;
use sam_emulator::template::Source;
use sam_emulator::{overview, template};

fn read(text: &str) -> Plan {
    template::read(text, &BTreeMap::new()).unwrap()
}

#[test]
fn a_websocket_api_of_single_resources_is_one_api() {
    let plan = read(
        "
Resources:
  F: { Type: AWS::Serverless::Function }
  G: { Type: AWS::Lambda::Function, Properties: { FunctionName: g, Code: { ZipFile: x }, Handler: index.handler } }
  Chat: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.type } }
  Connect: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: $connect, AuthorizationType: NONE, Target: !Join ['/', [integrations, !Ref ToF]] } }
  Send: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: send, RouteResponseSelectionExpression: $default, Target: !Sub 'integrations/${ToG}' } }
  Answer: { Type: AWS::ApiGatewayV2::RouteResponse, Properties: { ApiId: !Ref Chat, RouteId: !Ref Send, RouteResponseKey: $default } }
  ToF:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Chat
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations'
  ToG: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Chat, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt G.Arn, TimeoutInMillis: 900 } }
  Ping: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: ping, Target: !Sub 'integrations/${Mock}' } }
  Mock: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Chat, IntegrationType: MOCK } }
  Live: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Chat, StageName: live, DeploymentId: !Ref D, AutoDeploy: true } }
  D: { Type: AWS::ApiGatewayV2::Deployment, DependsOn: [Connect], Properties: { ApiId: !Ref Chat } }",
    );
    let api = &plan.websocket[0];
    assert_eq!((api.stage.as_str(), api.route_selection_expression.as_str()), ("live", "$request.body.type"));
    let replies: Vec<_> = api.routes.iter().map(|(key, route)| (key.as_str(), route.replies)).collect();
    assert_eq!(replies, [("$connect", false), ("send", true)]);
    expect![[r#"
        METHOD  PATH            FUNCTION
        WS      /live $connect  F
        WS      /live send      g
    "#]]
    .assert_eq(&overview::routes(&plan, &[]));
    expect!["not run      route ping of Chat (integration MOCK)\nignored      resources: AWS::ApiGatewayV2::Deployment\nignored      properties: Name"]
        .assert_eq(&overview::notices(&plan).join("\n"));
}

#[test]
fn an_http_api_of_single_resources_is_one_api() {
    let plan = read(
        "
Resources:
  F: { Type: AWS::Serverless::Function }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP, CorsConfiguration: { AllowOrigins: ['*'] } } }
  One: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: 'GET /a/{id}', Target: !Sub 'integrations/${To}', AuthorizationType: JWT, AuthorizerId: !Ref Tokens, AuthorizationScopes: [read] } }
  Rest: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: $default, Target: !Sub 'integrations/${To}' } }
  To: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn, PayloadFormatVersion: '2.0' } }
  Tokens: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Api, AuthorizerType: JWT, IdentitySource: [$request.header.Authorization], JwtConfiguration: { Issuer: 'http://issuer.test', Audience: [me] } } }
  Quick: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP, Target: !GetAtt F.Arn } }",
    );
    expect![[r#"
        METHOD  PATH                     FUNCTION
        GET     /_api/Api/a/{id}         F
        ANY     /_api/Api (any other)    F
        ANY     /_api/Quick (any other)  F
    "#]]
    .assert_eq(&overview::routes(&plan, &[]));
    let scopes = |index: usize| plan.http[0].routes[index].authorizer.as_ref().map(|it| it.scopes.join(" "));
    assert_eq!([scopes(0), scopes(1)], [Some("read".to_owned()), None]);
}

#[test]
fn events_and_openapi_documents_make_rest_and_http_apis() {
    let plan = read(
        "
Globals: { Api: { Cors: \"'*'\" } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Implicit: { Type: Api, Properties: { Path: /implicit, Method: get } }
        Explicit: { Type: Api, Properties: { Path: '/files/{name+}', Method: any, RestApiId: !Ref Rest } }
        Documented: { Type: HttpApi, Properties: { Path: /documented, Method: post, ApiId: !Ref Http } }
      FunctionUrlConfig: { AuthType: NONE, Cors: { AllowOrigins: ['*'] } }
  Rest: { Type: AWS::Serverless::Api, Properties: { StageName: v1 } }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /documented:
            post:
              x-amazon-apigateway-integration:
                { type: aws_proxy, httpMethod: POST, payloadFormatVersion: '2.0', uri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations' }
          /any:
            x-amazon-apigateway-any-method:
              x-amazon-apigateway-integration: { type: aws_proxy, payloadFormatVersion: '1.0', uri: !GetAtt F.Arn }
          /static:
            get: { x-amazon-apigateway-integration: { type: http_proxy, uri: 'https://example.com' } }",
    );
    expect![[r#"
        METHOD  PATH                              FUNCTION
        ANY     /_api/FUrl (any other)            F
        ANY     /_api/Rest/files/{name+}          F
        POST    /_api/Http/documented             F
        ANY     /_api/Http/any                    F
        GET     /_api/ServerlessRestApi/implicit  F
    "#]]
    .assert_eq(&overview::routes(&plan, &[]));
    expect![[r#"
        banner
          function URL http://127.0.0.1:3000/_api/FUrl/  (1 routes)
          REST API    http://127.0.0.1:3000/_api/Rest/v1  (1 routes)
          HTTP API    http://127.0.0.1:3000/_api/Http/  (2 routes)
          REST API    http://127.0.0.1:3000/_api/ServerlessRestApi/Prod  (1 routes)
          Invoke API  http://127.0.0.1:3000/2015-03-31/functions/{name}/invocations  (1 functions)
    "#]]
    .assert_eq(&format!("banner\n{}", overview::banner(&plan, "127.0.0.1:3000".parse().unwrap())));
    assert_eq!(plan.http[3].cors.as_ref().unwrap().allow_origins, ["*"]);
    let others: Vec<_> = plan.notices.other_triggers.iter().map(|trigger| trigger.source.as_str()).collect();
    assert_eq!(others, ["GET /static of Http (integration http_proxy)"]);
}

#[test]
fn a_rest_api_of_single_resources_is_one_api() {
    let plan = read(
        "
Resources:
  F: { Type: AWS::Lambda::Function, Properties: { Code: . } }
  Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: shop } }
  Orders: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders } }
  Order: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !Ref Orders, PathPart: '{id}' } }
  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !Ref Order, HttpMethod: GET, AuthorizationType: NONE, Integration: { Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations' } } }
  Options: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !Ref Orders, HttpMethod: OPTIONS, Integration: { Type: MOCK } } }
  Deploy: { Type: AWS::ApiGateway::Deployment, Properties: { RestApiId: !Ref Api, StageName: live } }",
    );
    expect![[r#"
        METHOD  PATH          FUNCTION
        GET     /orders/{id}  F
    "#]]
    .assert_eq(&overview::routes(&plan, &[]));
    assert_eq!(plan.http[0].stage, "live");
    assert_eq!(plan.notices.other_triggers[0].source, "OPTIONS /orders of Api (integration MOCK)");
}

#[test]
fn rules_schedules_and_mappings_may_be_resources_of_their_own() {
    let plan = read(
        "
Resources:
  F: { Type: AWS::Serverless::Function }
  Rule: { Type: AWS::Events::Rule, Properties: { ScheduleExpression: rate(5 minutes), Targets: [{ Id: f, Arn: !GetAtt F.Arn, Input: '{}' }] } }
  Nightly: { Type: AWS::Scheduler::Schedule, Properties: { ScheduleExpression: 'cron(0 2 * * ? *)', ScheduleExpressionTimezone: Europe/Berlin, FlexibleTimeWindow: { Mode: 'OFF' }, Target: { Arn: !GetAtt F.Arn, RoleArn: x, Input: '{\"a\":1}' } } }
  Bus: { Type: AWS::Scheduler::Schedule, Properties: { ScheduleExpression: rate(1 day), Target: { Arn: 'arn:aws:sqs:::q', RoleArn: x } } }
  Jobs: { Type: AWS::Lambda::EventSourceMapping, Properties: { FunctionName: !Ref F, EventSourceArn: 'arn:aws:mq:::broker:b:1', Queues: [jobs], SourceAccessConfigurations: [{ Type: BASIC_AUTH, URI: s }] } }",
    );
    expect![[r#"
        FUNCTION  TIMEOUT  MEMORY  CALLED BY
        F         3 s      128 MB  rate(5 minutes) UTC, cron(0 2 * * ? *) Europe/Berlin, queue jobs
    "#]]
    .assert_eq(&overview::functions(&plan));
    assert_eq!(plan.schedules[1].input.as_deref(), Some("{\"a\":1}"));
    assert_eq!(
        plan.notices.other_triggers[0].source,
        "AWS::Scheduler::Schedule Bus with the target arn:aws:sqs:::q"
    );
}

#[test]
fn an_openapi_document_may_be_a_file_beside_the_template() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("api.yaml"),
        "paths: { /x: { get: { x-amazon-apigateway-integration: { type: aws_proxy, uri: { 'Fn::GetAtt': [F, Arn] } } } } }",
    )
    .unwrap();
    for definition in [
        "DefinitionUri: api.yaml",
        "DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: ./api.yaml } } }",
    ] {
        let text = format!(
            "Resources:\n  F: {{ Type: AWS::Serverless::Function }}\n  A: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: s, {definition} }} }}"
        );
        let source = Source { text: &text, folder: Some(folder.path()), values: &BTreeMap::new() };
        let (plan, problems) = template::load(source).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(plan.http[0].routes[0].path, "/x");
        let error = template::read(&text, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("the template has no folder"), "{error}");
    }
}
