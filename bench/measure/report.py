"""One JSON object for programs, a table for people."""
import json


def show(workload, results, as_json, title, targets):
    """targets: (what, the figure, what it may be at most)."""
    if as_json:
        print(json.dumps({"workload": workload, "results": results}))
        return
    columns = list(dict.fromkeys(figure for row in results.values() for figure in row))
    print(f"\n{workload}: {title}\n\n{'':10}" + "".join(f"{column:>12}" for column in columns))
    for name, row in results.items():
        print(f"{name:10}" + "".join(f"{row[column]:12,.2f}" if column in row else " " * 12 for column in columns))
    print()
    for what, figure, most in targets:
        print(f"{what:34}{figure:9.2f}   at most {most:g}: {'reached' if figure <= most else 'MISSED'}")
