# make run    use Lotse with the demo knowledge base: everything is set up first, once (ARGS="--port 9000" is passed on)
# make test   every test (WORKERS=4 for more cores, TESTS=tests/kb_index for some of them)
# make cover  the same, and which lines no test has run: half as long again
# make check  style, types, direction of the packages
# make bench  the measurements
# make lock   pin the newest versions pyproject.toml allows
# make clean  drop what was installed and built (the data in var/ stays)

# The Python that .venv is made with: 3.11 if there is one (Rasa can run on it too), else any newer one.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
IN_VENV := .venv/bin/python
SET_UP = "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
	"Lotse needs Python 3.11 or newer, and '$(PYTHON)' is none. Install one (Debian: apt install python3 python3-venv)" \
	"or name it: make $@ PYTHON=/path/to/python3.11" >&2; exit 1; }; "$(PYTHON)" tools/set_up.py
# Tests of one file stay together: they share what is dear to make. They wait more than they compute.
WORKERS ?= 2
# In CI a test that is skipped has not shown anything.
STRICT = $(if $(filter true,$(CI)),-p tests.ci_strict)

.DEFAULT_GOAL := run
.NOTPARALLEL:
.PHONY: run test cover check bench lock clean

run:
	@$(SET_UP) run
	@$(IN_VENV) -m nlu.environment .venv-rasa || echo "Going on without Rasa."
	@.venv/bin/lotse run --demo $(ARGS)

test:
	@$(SET_UP) test
	@$(IN_VENV) -m nlu.environment .venv-rasa
	@$(IN_VENV) -m pytest $(STRICT) -n $(WORKERS) --dist loadfile $(COVER) $(TESTS)

cover:
	@$(MAKE) test COVER="--cov --cov-report=term:skip-covered"

check:
	@$(SET_UP) test
	$(IN_VENV) -m ruff check
	$(IN_VENV) -m ruff format --check
	$(IN_VENV) -m mypy
	.venv/bin/lint-imports

bench:
	@$(SET_UP) test
	@$(IN_VENV) -m nlu.environment .venv-rasa
	$(IN_VENV) -m benchmarks.understanding
	$(IN_VENV) benchmarks/latency.py
	$(IN_VENV) benchmarks/vectors.py --sizes 10000 100000 $(if $(DATA),--data $(DATA))
	@test -n "$(DATA)" || echo "make bench DATA=FOLDER also measures import and answers (FOLDER: as helpdesk-data)."
	@test -z "$(DATA)" || { set -ex; $(IN_VENV) benchmarks/import_folder.py $(DATA)/kb_en $(DATA)/kb_de; \
		$(IN_VENV) benchmarks/embedders.py --data $(DATA); \
		.venv/bin/lotse evaluate --kb $(DATA)/kb_de $(DATA)/kb_en --questions $(DATA)/questions_de.jsonl $(DATA)/questions_en.jsonl \
			--unanswerable $(DATA)/unanswerable_de.jsonl $(DATA)/unanswerable_en.jsonl; \
		$(IN_VENV) benchmarks/baselines.py --data $(DATA); \
		$(IN_VENV) benchmarks/crosslingual.py --data $(DATA); \
		$(IN_VENV) benchmarks/reading.py --data $(DATA); \
		$(IN_VENV) benchmarks/past_questions.py --data $(DATA); \
		$(IN_VENV) benchmarks/risk_splits.py --data $(DATA) --work var/benchmarks/risk_splits; }

lock:
	@$(SET_UP) test
	@$(IN_VENV) tools/write_locks.py

clean:
	rm -rf .venv .venv.lock .venv-rasa .venv-rasa.lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
