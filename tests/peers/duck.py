"""Runs SQL with DuckDB over tables and records: duck.py LIBRARY, with a list of queries as JSON on standard
input. Writes what each gives as text, in columns, as a list in JSON."""
import json
import sys

sys.path.insert(0, sys.argv[1])
import duckdb  # noqa: E402


def table(columns, rows):
    """Text in columns: numbers to the right."""
    shown = [["NULL" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(columns, *shown)]
    right = [all(isinstance(row[i], (int, float)) or row[i] is None for row in rows) for i in range(len(columns))]

    def line(cells):
        cells = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right))
        return "  ".join(cells).rstrip()

    return "\n".join([line(columns)] + [line(row) for row in shown])


def main():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    said = []
    for query in json.load(sys.stdin):
        result = connection.execute(query)
        rows = result.fetchall()
        said.append(table([column[0] for column in result.description], rows))
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
