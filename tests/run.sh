#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_sso authors
#
# `make test`: first what the tests need, then all of them. Apart from tests/run.mjs because node may be what is missing.
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
echo "== dependencies"
if ! bash tests/deps.sh; then
    echo "failed: dependencies cannot be installed"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
exec node tests/run.mjs "$@"
