// Reads the two documents and makes the page of them: what each route and event takes and answers, and forms to try the
// routes. Everything is text; nothing from a document or a reply becomes HTML.

const main = document.getElementById("main");
const who = document.getElementById("who");
const KEY = "ulak-access-token";
let token = sessionStorage.getItem(KEY) ?? "";

/** An element with attributes and children. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text in which backticks mark code. */
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
}

const paragraphs = (text) => text.split("\n\n").map((paragraph) => el("p", {}, ...prose(paragraph)));
const json = (value) => JSON.stringify(value, null, 2);

/** The value that a reference such as #/components/schemas/User names. */
function resolve(root, value) {
  if (!value?.$ref) return value;
  const path = value.$ref.slice(2).split("/");
  return resolve(root, path.reduce((found, key) => found?.[key.replaceAll("~1", "/")], root));
}

// Schemas

/** A schema in a few words: its type and its limits. */
function kind(schema) {
  if (schema.const !== undefined) return json(schema.const);
  if (schema.enum) return schema.enum.map(json).join(" | ");
  const isObject = schema.properties || schema.allOf;
  const type = [schema.type ?? (isObject ? "object" : "any")].flat().join(" or ");
  const limits = [
    schema.format,
    schema.minLength !== undefined && `at least ${schema.minLength} characters`,
    schema.maxLength !== undefined && `at most ${schema.maxLength} characters`,
    schema.minItems !== undefined && `at least ${schema.minItems}`,
    schema.maxItems !== undefined && `at most ${schema.maxItems}`,
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.maximum !== undefined && `to ${schema.maximum}`,
    schema.default !== undefined && `default ${json(schema.default)}`,
  ];
  return [type, ...limits.filter(Boolean)].join(", ");
}

/** The fields of a schema as nested lists; null for a schema without fields. What extends another schema is added. */
function fields(root, given, depth = 0) {
  const schema = resolve(root, given) ?? {};
  const base = resolve(root, schema.allOf?.[0]) ?? {};
  const properties = { ...schema.properties, ...base.properties };
  const required = [schema.required ?? [], base.required ?? []].flat();
  const alternatives = schema.properties ? [] : (schema.oneOf ?? schema.anyOf ?? []);
  const list = el("ul", { class: "fields" });
  for (const [name, property] of Object.entries(properties)) {
    if (depth > 5 || resolve(root, property)?.type === "null") continue;
    list.append(field(root, name, property, required.includes(name), depth));
  }
  if (schema.items) list.append(field(root, "each", schema.items, false, depth));
  for (const [index, alternative] of alternatives.entries()) {
    const inner = fields(root, alternative, depth + 1);
    if (inner) list.append(el("li", {}, index ? "or " : "either ", kind(resolve(root, alternative)), inner));
  }
  return list.childElementCount ? list : null;
}

function field(root, name, given, required, depth) {
  const options = (resolve(root, given)?.anyOf ?? []).filter((option) => option.type !== "null");
  const nullable = options.length === 1;
  const property = resolve(root, nullable ? options[0] : given) ?? {};
  const words = [kind(property), nullable && "or null", required && "required"].filter(Boolean).join(", ");
  const description = given.description ?? property.description;
  return el(
    "li",
    {},
    el("code", {}, name),
    el("span", { class: "soft" }, ` ${words}`),
    description ? ` — ${description}` : null,
    fields(root, property, depth + 1),
  );
}

function schemaAndExample(root, schema, example) {
  const parts = [fields(root, schema)];
  if (example !== undefined) parts.push(el("pre", { tabindex: "0", role: "group", "aria-label": "Example" }, json(example)));
  return parts.filter(Boolean);
}

// Routes

function route(api, path, method, operation) {
  const needsToken = (operation.security ?? api.security).length > 0;
  const name = method.toUpperCase();
  const body = el("div", { class: "body" });
  const details = el(
    "details",
    { id: operation.operationId },
    el(
      "summary",
      {},
      el("span", { class: `method ${name}` }, name),
      el("span", { class: "path" }, path),
      el("span", {}, operation.summary),
      needsToken ? el("span", { class: "lock" }, "token") : null,
    ),
    body,
  );
  // Filled when it is opened first, so that the page itself is there at once.
  details.addEventListener(
    "toggle",
    () => body.append(...described(api, operation), tryIt(path, name, operation, needsToken)),
    { once: true },
  );
  return details;
}

function described(api, operation) {
  const parts = operation.description ? paragraphs(operation.description) : [];
  if (operation.parameters) {
    const list = el("ul", { class: "fields" });
    for (const parameter of operation.parameters) {
      const given = { ...parameter.schema, description: parameter.description };
      list.append(field(api, `${parameter.in} ${parameter.name}`, given, parameter.required, 0));
    }
    parts.push(el("h3", {}, "Parameters"), list);
  }
  const content = operation.requestBody?.content["application/json"];
  if (content) parts.push(el("h3", {}, "Body"), ...schemaAndExample(api, content.schema));
  parts.push(el("h3", {}, "Answers"));
  for (const [status, given] of Object.entries(operation.responses)) parts.push(answer(api, status, resolve(api, given)));
  return parts;
}

function answer(api, status, response) {
  const [type, content] = Object.entries(response.content)[0];
  const examples = content.examples
    ? Object.values(content.examples).map((example) => example.value)
    : [content.example].filter(Boolean);
  const body = el("div", { class: "body" }, el("p", { class: "soft" }, type), ...schemaAndExample(api, content.schema));
  for (const example of examples) {
    body.append(el("pre", { tabindex: "0", role: "group", "aria-label": `Example of ${status}` }, json(example)));
  }
  return el(
    "details",
    {},
    el("summary", {}, el("span", { class: "method" }, status), el("span", {}, response.description)),
    body,
  );
}

// Try it

function tryIt(path, method, operation, needsToken) {
  const form = el("form", { class: "try" }, el("h3", {}, "Try it"));
  for (const parameter of operation.parameters ?? []) {
    const input = el("input", { name: `${parameter.in}:${parameter.name}`, autocomplete: "off" });
    if (parameter.required) input.required = true;
    form.append(el("label", {}, `${parameter.in} ${parameter.name}`, input));
  }
  const content = operation.requestBody?.content["application/json"];
  if (content) {
    const area = el("textarea", { name: "body", spellcheck: "false" });
    area.value = json(content.example);
    form.append(el("label", {}, "Body", area));
  }
  const result = el("div", { role: "status" });
  form.append(el("button", {}, `Send ${method}`), result);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    send(request(path, method, data, needsToken), result);
  });
  return form;
}

/** The request that a form describes; empty parameters of the query are left out. */
function request(path, method, data, needsToken) {
  const query = new URLSearchParams();
  let url = path;
  for (const [name, value] of data) {
    const [place, parameter] = name.split(/:(.*)/s);
    if (place === "path") url = url.replace(`{${parameter}}`, encodeURIComponent(value));
    if (place === "query" && value !== "") query.set(parameter, value);
  }
  if (query.size) url += `?${query}`;
  const headers = {};
  if (needsToken && token) headers.authorization = `Bearer ${token}`;
  const body = data.get("body");
  if (body) headers["content-type"] = "application/json";
  return { url, method, headers, ...(body && { body }) };
}

async function send({ url, ...options }, result) {
  const started = performance.now();
  result.replaceChildren(el("p", {}, "Sending …"));
  try {
    const response = await fetch(url, options);
    const text = await response.text();
    const took = Math.round(performance.now() - started);
    const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    result.replaceChildren(
      el("h4", {}, `${response.status} in ${took} ms`),
      el("pre", { class: "answer", tabindex: "0", role: "group", "aria-label": "Body of the answer" }, pretty(text)),
      el("pre", { tabindex: "0", role: "group", "aria-label": "Headers of the answer" }, headers),
      el("pre", { tabindex: "0", role: "group", "aria-label": "The same with curl" }, curl(url, options)),
    );
  } catch (error) {
    result.replaceChildren(el("p", {}, `No answer: ${error.message}`));
  }
}

function pretty(text) {
  try {
    return json(JSON.parse(text));
  } catch {
    return text;
  }
}

function curl(url, { method, headers, body }) {
  const quote = (value) => `'${value.replaceAll("'", `'\\''`)}'`;
  const parts = [`curl -X ${method} ${quote(location.origin + url)}`];
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quote(`${name}: ${value}`)}`);
  if (body) parts.push(`-d ${quote(body)}`);
  return parts.join(" \\\n  ");
}

// Events

function event(api, operation) {
  const message = resolve(api, resolve(api, operation.messages[0]));
  const fromClient = operation.action === "receive";
  const body = el("div", { class: "body" });
  const details = el(
    "details",
    {},
    el(
      "summary",
      {},
      el("span", { class: `method ${fromClient ? "client" : "sent"}` }, fromClient ? "client" : "server"),
      el("span", { class: "path" }, message.name),
      el("span", {}, operation.summary),
    ),
    body,
  );
  const fill = () => {
    body.append(...schemaAndExample(api, message.payload, message.examples[0].payload));
    const ack = resolve(api, operation.reply?.messages[0]);
    if (ack) body.append(el("h3", {}, "Ack"), ...schemaAndExample(api, ack.payload, ack.examples[0].payload));
  };
  details.addEventListener("toggle", fill, { once: true });
  return details;
}

// Authorize

function authorize(value, name) {
  token = value;
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  who.textContent = value ? `Authorized${name ? ` as ${name}` : ""}.` : "Not authorized.";
}

async function logIn(form, how) {
  const [name, password] = [form.elements.name.value, form.elements.password.value];
  const local = name.split("@")[0];
  const body = how === "register"
    ? { username: local, email: name.includes("@") ? name : `${local}@example.com`, password }
    : { email: name, password };
  const headers = { "content-type": "application/json" };
  const response = await fetch(`/api/auth/${how}`, { method: "POST", headers, body: JSON.stringify(body) });
  const answered = await response.json();
  if (answered.success) {
    authorize(answered.data.accessToken, answered.data.user.username);
  } else {
    const wrong = (answered.error?.details ?? []).map((detail) => `${detail.field} ${detail.message}`);
    who.textContent = `Not authorized: ${[answered.message, ...wrong].join("; ")}.`;
  }
}

document.getElementById("login").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const failed = (error) => {
    who.textContent = `Not authorized: ${error.message}.`;
  };
  logIn(submitted.target, submitted.submitter?.value ?? "login").catch(failed);
});
document.getElementById("token").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  authorize(submitted.target.elements.token.value.trim().replace(/^Bearer\s+/i, ""));
});
document.getElementById("forget").addEventListener("click", () => authorize(""));

// The page

const read = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  return response.json();
};

function section(id, title, text, items) {
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), el("p", { class: "soft" }, ...prose(text)), ...items);
}

function routesOf(api, tag) {
  const found = [];
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.tags.includes(tag)) found.push(route(api, path, method, operation));
    }
  }
  return found;
}

async function show() {
  const [api, sockets] = await Promise.all([read("/api/openapi.json"), read("/api/asyncapi.json")]);
  const sections = api.tags.map((tag) => section(tag.name, tag.name, tag.description, routesOf(api, tag.name)));
  const events = Object.values(sockets.operations).map((operation) => event(sockets, operation));
  sections.push(section("events", "events", "What clients and the server send over a WebSocket.", events));
  const links = sections.map((part) => part.firstElementChild.id);
  const navigation = el(
    "nav",
    { "aria-label": "Sections" },
    el("ul", {}, ...links.map((id) => el("li", {}, el("a", { href: `#${id}` }, id)))),
  );
  main.replaceChildren(...paragraphs(api.info.description), navigation, ...sections);
  const introduction = paragraphs(sockets.info.description);
  document.getElementById("events").nextElementSibling.replaceWith(...introduction);
}

authorize(token);
show().catch((error) => main.replaceChildren(el("p", { role: "alert" }, `The documents cannot be shown: ${error.message}.`)));
