// Greets the name in the path.
export const handler = async (event, context) => {
  if (event.fail) throw new Error("no greeting");
  return { statusCode: 200, body: `hello ${event.pathParameters.name} from node, as ${context.functionName}` };
};
