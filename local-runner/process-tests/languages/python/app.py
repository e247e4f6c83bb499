"""Greets the name in the path."""


def handler(event, context):
    if event.get("fail"):
        raise ValueError("no greeting")
    name = event["pathParameters"]["name"]
    return {"statusCode": 200, "body": f"hello {name} from python, as {context.function_name}"}
