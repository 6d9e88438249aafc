"""Whether runs can be read afterwards: really read, through the API, as a user would."""
import random

WORKSPACE = "hello"
PAGE = 1000
SAMPLE = 100


def _listed(flowlet):
    """The ids of all runs that ended well, page by page."""
    ids, before = [], ""
    while True:
        page = flowlet.in_workspace(f"runs?limit={PAGE}{before}", WORKSPACE)
        ids += [run["id"] for run in page["runs"] if run["state"] == "done"]
        if "next" not in page:
            return ids
        before = f"&before={page['next']}"


def _tells(flowlet, run):
    """Its record shows what the script got and gave."""
    blocks = {block["path"]: block for block in flowlet.in_workspace(f"runs/{run}", WORKSPACE)["history"]["blocks"]}
    greet = blocks.get("greet", {})
    name = greet.get("input", {}).get("name")
    return bool(name) and greet.get("output") == {"message": f"Hello {name}"}


def readable_share(flowlet, requests):
    """Of so many requests, all that the server had so far: listed, and in a sample told in full."""
    ids = _listed(flowlet)
    sample = random.sample(ids, min(SAMPLE, len(ids)))
    told = sum(_tells(flowlet, run) for run in sample) / len(sample) if sample else 0
    return min(1.0, len(set(ids)) / requests) * told
