<?php
// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
// A "legacy" PHP page: it answers with everything the web server told it, as JSON.
header('Content-Type: application/json');
echo json_encode($_SERVER, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
