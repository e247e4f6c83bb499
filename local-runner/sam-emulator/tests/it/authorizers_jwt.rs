//! JWT authorizers, with an issuer of the test's own.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use sam_emulator::invoke::{Invocation, Registry};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::test_server::TestServer;

/// An issuer of tokens, with its documents at `/.well-known/openid-configuration` and `/keys`.
struct Issuer {
    url: String,
    key: RsaKeyPair,
}

impl Issuer {
    async fn start() -> Self {
        let text: String = include_str!("issuer_key.txt").split_whitespace().collect();
        let key = RsaKeyPair::from_der(&STANDARD.decode(text).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let public: PublicKeyComponents<Vec<u8>> = key.public().into();
        let [n, e] = [public.n, public.e].map(|number| URL_SAFE_NO_PAD.encode(number));
        let keys = json!({ "keys": [{ "kty": "EC", "kid": "other" }, { "kty": "RSA", "kid": "k", "n": n, "e": e }] });
        let configuration = json!({ "jwks_uri": format!("{url}/keys") });
        tokio::spawn(serve(listener, configuration.to_string(), keys.to_string()));
        Self { url, key }
    }

    fn claims(&self) -> Value {
        let now = Timestamp::now().as_second();
        json!({ "iss": self.url, "aud": ["me", "you"], "exp": now + 60, "iat": now - 1, "scope": "read list", "admin": true })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        self.sign(&json!({ "alg": "RS256", "kid": "k" }), &claims)
    }
}

async fn serve(listener: TcpListener, configuration: String, keys: String) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let mut head = vec![0; 4096];
        let length = socket.read(&mut head).await.unwrap_or(0);
        let is_keys = head[..length].starts_with(b"GET /keys ");
        let body = if is_keys { &keys } else { &configuration };
        let length = body.len();
        let response =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        let _ = socket.write_all(response.as_bytes()).await;
    }
}

async fn server(issuer: &str) -> TestServer {
    let mut registry = Registry::default();
    registry.add("F", |call: Invocation, _| async move {
        let event: Value = serde_json::from_slice(&call.payload).unwrap();
        Ok(json!({ "statusCode": 200, "body": event["requestContext"]["authorizer"].to_string() })
            .to_string()
            .into())
    });
    let template = format!(
        "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Any: {{ Type: HttpApi, Properties: {{ Path: /any, Method: get }} }}
        Read: {{ Type: HttpApi, Properties: {{ Path: /read, Method: get, Auth: {{ AuthorizationScopes: [read, write] }} }} }}
        Write: {{ Type: HttpApi, Properties: {{ Path: /write, Method: get, Auth: {{ AuthorizationScopes: [write] }} }} }}
Globals:
  HttpApi:
    Auth:
      DefaultAuthorizer: Tokens
      Authorizers:
        Tokens: {{ IdentitySource: $request.header.Authorization, JwtConfiguration: {{ issuer: {issuer}, audience: [me] }} }}"
    );
    TestServer::of(&template, registry).await
}

#[tokio::test]
async fn a_valid_token_reaches_the_function_as_claims_and_scopes() {
    let issuer = Issuer::start().await;
    let server = server(&issuer.url).await;
    let token = issuer.token(|_| {});
    for (path, scheme) in [("/any", "Bearer "), ("/read", "bearer "), ("/any", "")] {
        let response = server.send(&format!("GET {path}\nauthorization: {scheme}{token}"), "").await;
        assert_eq!(response.status, 200, "{}", response.body);
        let jwt = &response.json()["jwt"];
        assert_eq!(jwt["scopes"], json!(["read", "list"]));
        assert_eq!([&jwt["claims"]["aud"], &jwt["claims"]["admin"]], [&json!("[me you]"), &json!("true")]);
    }
    let response = server.send(&format!("GET /write\nauthorization: Bearer {token}"), "").await;
    assert_eq!((response.status, response.body.as_str()), (403, r#"{"message":"Forbidden"}"#));
}

#[tokio::test]
async fn a_token_that_is_not_valid_is_refused_with_its_reason() {
    let issuer = Issuer::start().await;
    let server = server(&issuer.url).await;
    let now = Timestamp::now().as_second();
    let forged = {
        let token = issuer.token(|_| {});
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let mut claims = issuer.claims();
        claims["admin"] = json!("very");
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    };
    let claims = issuer.claims();
    for (token, reason) in [
        ("nonsense".to_owned(), "the token is not a JWT"),
        (forged, "the signature of the token is not valid"),
        (issuer.token(|claims| claims["exp"] = json!(now - 1)), "the token has expired"),
        (issuer.token(|claims| claims["exp"] = Value::Null), "the token has expired"),
        (
            issuer.token(|claims| claims["iss"] = json!("http://other")),
            "the claim iss of the token is not valid",
        ),
        (issuer.token(|claims| claims["aud"] = json!("you")), "the claim aud of the token is not valid"),
        (issuer.token(|claims| claims["nbf"] = json!(now + 60)), "the claim nbf of the token is not valid"),
        (issuer.sign(&json!({ "alg": "none", "kid": "k" }), &claims), "the token is not signed with RSA"),
        (issuer.sign(&json!({ "alg": "HS256", "kid": "k" }), &claims), "the token is not signed with RSA"),
        (
            issuer.sign(&json!({ "alg": "RS256", "kid": "x" }), &claims),
            "the issuer has no key with the id of the token",
        ),
    ] {
        let response = server.send(&format!("GET /any\nauthorization: Bearer {token}"), "").await;
        assert_eq!(
            (response.status, response.body.as_str()),
            (401, r#"{"message":"Unauthorized"}"#),
            "{reason}"
        );
        let expected = format!(r#"Bearer scope="" error="invalid_token" error_description="{reason}""#);
        assert_eq!(response.header("www-authenticate"), expected);
    }
    let without = server.send("GET /any", "").await;
    assert_eq!((without.status, without.header("www-authenticate")), (401, "Bearer"));
}

#[tokio::test]
async fn without_its_issuer_no_token_is_valid() {
    let issuer = Issuer::start().await;
    let server = server("http://127.0.0.1:1").await;
    let token = issuer.token(|claims| claims["iss"] = json!("http://127.0.0.1:1"));
    let response = server.send(&format!("GET /any\nauthorization: {token}"), "").await;
    assert_eq!(response.status, 401);
    assert!(response.header("www-authenticate").contains("the keys of the issuer cannot be read"));
}
