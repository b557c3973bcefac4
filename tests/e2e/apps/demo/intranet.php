<?php
// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
// A "legacy" PHP page. It knows nothing of OAuth: it shows who httpd says is there.
header('Content-Type: text/html; charset=utf-8');
$html = fn ($text) => htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE);
?>
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Intranet</title><link rel="stylesheet" href="/demo.css"></head><body><main>
<h1>Intranet (a PHP page)</h1><p>Hello, <strong><?= $html($_SERVER['REMOTE_USER'] ?? 'stranger') ?></strong>. This is what httpd told me:</p><table>
<?php foreach ($_SERVER as $name => $value): if (preg_match('/^(REMOTE_USER|AUTH_TYPE|SSO_|HTTP_X_|HTTP_COOKIE)/', $name)): ?>
<tr><th><?= $html($name) ?></th><td><?= $html($value) ?></td></tr>
<?php endif; endforeach; ?>
</table><p><a href="/">Start page</a> &middot; <a href="/sso/logout">Sign out</a></p></main></body></html>
