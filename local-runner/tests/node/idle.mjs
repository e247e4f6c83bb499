// A connected client that does nothing until it is killed or stopped from outside.

import { connect } from "./ulak.mjs";

await connect({ token: process.argv[2] });
console.log("connected");
