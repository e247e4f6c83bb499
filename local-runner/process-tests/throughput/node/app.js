// Returns a greeting.
exports.hello = async () => ({ say: "hello" });
