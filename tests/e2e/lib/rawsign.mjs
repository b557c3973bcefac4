// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Signatures over exact bytes with node's crypto, for tokens whose header a careful library would refuse to write.

import { constants, createHmac, sign } from 'node:crypto';

export function signBytes(alg, key, input) {
  const data = Buffer.from(input);
  if (alg === 'EdDSA') return sign(null, data, key);
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) return createHmac(hash, key).update(data).digest();
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('PS')) return sign(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 });
  return sign(hash, data, key);
}
