"""Runs the queries of a page with Spark: spark.py PAGE FOLDER. The first commands of the page, which make the
tables, are run in FOLDER before; what a query gives is compared with what the page says."""
import os
import re
import subprocess
import sys

from pyspark.sql import SparkSession

TABLES = ["connections", "messages", "findings", "causes"]


def blocks(page):
    """Each block of code with its language, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)


def main():
    page, folder = open(sys.argv[1], encoding="utf-8").read(), sys.argv[2]
    found = blocks(page)
    first = next(text for kind, text in found if kind == "console")
    os.chdir(folder)
    for line in first.splitlines():
        if line.startswith("$ wstool "):
            command = line[2:].replace("wstool", os.environ["WSTOOL"], 1)
            subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    spark = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC")
    for key in ["spark.ui.enabled", "spark.ui.showConsoleProgress"]:
        spark = spark.config(key, "false")
    spark = spark.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for name in TABLES:
        spark.read.parquet(f"tables/{name}").createOrReplaceTempView(name)
    wrong = count = 0
    for (kind, text), (next_kind, expected) in zip(found, found[1:]):
        # Reading files is said otherwise there.
        if kind != "sql" or next_kind != "text" or "read_" in text:
            continue
        rows = spark.sql(text.strip().rstrip(";")).collect()
        cells = [["NULL" if cell is None else str(cell) for cell in row] for row in rows]
        said = [re.split(r" {2,}", line.strip()) for line in expected.strip().splitlines()[1:]]
        count += 1
        if cells != said:
            wrong += 1
            print(text, "gives", cells, "and not", said, sep="\n")
    print(f"{count} queries with Spark {spark.version}: {count - wrong} as on the page")
    sys.exit(1 if wrong or not count else 0)


main()
