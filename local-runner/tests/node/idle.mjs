// One connected client that does nothing, to be killed or frozen from outside.

import { connect } from "./ulak.mjs";

await connect({ token: process.argv[2] });
console.log("connected");
