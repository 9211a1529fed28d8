#!/bin/sh
# Sees to it that there is a Chromium for the browser tests: the system's, else Playwright's own download, else, as root,
# the system's package manager. Where none works the tests are skipped and say so; in CI that is a failure.
cd "$(dirname "$0")/../.."
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
starts() {
  .venv/bin/python -c 'from playwright.sync_api import sync_playwright
with sync_playwright() as playwright: playwright.chromium.launch(args=["--no-sandbox"]).close()' >/dev/null 2>&1
}
starts && exit 0
echo "browser: getting Chromium" >&2
timeout 600 .venv/bin/playwright install chromium >&2 && starts && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update >&2 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium >&2 && exit 0
fi
echo "browser: NO CHROMIUM: the browser tests will be skipped" >&2
[ -z "${CI:-}" ]
