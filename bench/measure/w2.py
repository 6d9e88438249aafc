"""W2: POST of 100 orders in 10 KB, which are validated by a schema, then filtered, mapped and summed in a script."""
import json
import sys

from . import servers, workload

COUNTRIES = ("DE", "FR", "IT", "PL", "SE")
ORDERS = [{"id": f"order-{n:04}", "customer": f"customer {n * 7 % 40} of somewhere", "country": COUNTRIES[n % 5], "paid": n % 3 != 0,
           "quantity": n % 9 + 1, "price": n * 37 % 500} for n in range(100)]
BODY = json.dumps({"orders": ORDERS}, separators=(",", ":")).encode()


def expected():
    lines = [{"id": o["id"], "country": o["country"], "total": o["quantity"] * o["price"]} for o in ORDERS if o["paid"]]
    countries = {}
    for line in lines:
        countries[line["country"]] = countries.get(line["country"], 0) + line["total"]
    return {"count": len(lines), "total": sum(line["total"] for line in lines), "countries": countries,
            "top": sorted(lines, key=lambda line: -line["total"])[:5]}


def check(server):
    answer = servers.request("POST", f"{server.url}/transform", BODY, {"Content-Type": "application/json"})
    if answer.status != 200 or answer.json != expected():
        sys.exit(f"bench: {server.name} answered {answer.status} {answer.body[:300]!r} to POST /transform")
    broken = BODY.replace(b'"paid":true', b'"paid":"yes"', 1)
    answer = servers.request("POST", f"{server.url}/transform", broken, {"Content-Type": "application/json"})
    if answer.status != 400 and server.validates:
        sys.exit(f"bench: {server.name} answered {answer.status} to an order that does not fit the schema")
    return 2


def tells(blocks):
    transform = blocks.get("transform", {})
    return "orders" in str(transform.get("input")) and transform.get("output") == expected()


WORKLOAD = workload.Workload(
    name="W2", title="POST of 100 orders, 10 KB, validated, filtered, mapped, summed", path="/transform", body=BODY, check=check,
    tells=tells, kinds=(servers.FlowletServer, servers.Fastify, servers.NodeRed), most=(("fastify", 1.15),))


def run(options):
    workload.run(WORKLOAD, options)
