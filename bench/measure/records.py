"""Whether runs can be read afterwards: really read, through the API, as a user would."""
import random

PAGE = 1000
SAMPLE = 100


def _listed(flowlet, workspace):
    """The ids of all runs that ended well, page by page."""
    ids, before = [], ""
    while True:
        page = flowlet.in_workspace(f"runs?limit={PAGE}{before}", workspace)
        ids += [run["id"] for run in page["runs"] if run["state"] == "done"]
        if "next" not in page:
            return ids
        before = f"&before={page['next']}"


def blocks_of(flowlet, workspace, run):
    """What the record of a run tells of each block, by its path."""
    return {block["path"]: block for block in flowlet.in_workspace(f"runs/{run}", workspace)["history"]["blocks"]}


def readable_share(flowlet, workspace, requests, tells):
    """Of so many requests, all that the server had so far: listed, and in a sample told in full: tells(blocks by path)."""
    ids = _listed(flowlet, workspace)
    sample = random.sample(ids, min(SAMPLE, len(ids)))
    told = sum(tells(blocks_of(flowlet, workspace, run)) for run in sample) / len(sample) if sample else 0
    return min(1.0, len(set(ids)) / requests) * told
