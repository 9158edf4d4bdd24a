# For developers; nothing here is needed to run or to test (see README.md).
.PHONY: check test bench docs shots lock recovery bare

check:      ## format, lint, types, import contracts, house tests
	python3 run.py check

test:       ## every test
	python3 run.py test

bare:       ## the statistics where Django is not installed
	python3 run.py bare

bench:      ## time, peak memory and unchanged numbers of every hot path
	.venv/bin/python -m benchmarks

recovery:   ## 100 small nations: do the 95 % intervals cover the truth?
	.venv/bin/python benchmarks/recovery.py --nations 100

docs:       ## the pages that are made from the code
	.venv/bin/dienrong options --format markdown > docs/options.md
	.venv/bin/dienrong options --format env > .env.example
	.venv/bin/dienrong manage openapi > docs/openapi.json
	.venv/bin/dienrong manage translations

shots:      ## every page of the demo as pictures, into build/shots/
	.venv/bin/python tests/browser/shots.py

lock:       ## resolve the dependencies anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --all-extras -o requirements/dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra build --extra web --extra test --extra webtest -c requirements/dev.lock -o requirements/test.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra build --extra web -c requirements/dev.lock -o requirements/run.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra build --extra test -c requirements/dev.lock -o requirements/bare.lock
