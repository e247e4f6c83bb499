import { io } from "socket.io-client";

const url = process.env.ULAK_URL ?? "http://localhost:3000";
const post = async (path, body, token) => {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()).data;
};
const register = (name) =>
  post("/api/auth/register", { username: name + Date.now(), email: `${name}@${Date.now()}.example`, password: "correct horse" });
const openSocket = (name, { accessToken: token }) =>
  io(url, { transports: ["websocket"], auth: { token } }).onAny((event, data) => console.log(name, event, data));
const next = (socket, event) => new Promise((resolve) => socket.once(event, resolve));

const [ada, bob] = [await register("ada"), await register("bob")];
const { conversation } = await post("/api/conversations", { participantId: bob.user.id }, ada.accessToken);
const conversationId = conversation.id;

const a = openSocket("ada:", ada);
await next(a, "connect");
const b = openSocket("bob:", bob); // ada: user_online
for (const socket of [a, b]) await socket.emitWithAck("join_room", { conversationId });
a.emit("typing", { conversationId, isTyping: true }); // bob: typing
const { data } = await a.emitWithAck("send_message", { conversationId, content: "Merhaba!" }); // bob: message_received
b.emit("message_read", { conversationId, messageId: data.message.id }); // ada: message_read
await next(a, "message_read");
b.disconnect(); // ada: user_offline
await next(a, "user_offline");
a.disconnect();
