/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The algorithms as rows. What is not a row does not exist for anybody: "none", HS256 and RSA1_5 need no code
 * that refuses them. ES256K is left out since no provider of people's logins signs with it. */

#include "jose/alg.h"

#define ROW(index) (UINT32_C(1) << (index))

static const alg_t rows[] = {
    {"RS256", ALG_RSA_PKCS1, "RSA", NULL, "SHA256", 0, ROW(0)},
    {"RS384", ALG_RSA_PKCS1, "RSA", NULL, "SHA384", 0, ROW(1)},
    {"RS512", ALG_RSA_PKCS1, "RSA", NULL, "SHA512", 0, ROW(2)},
    {"PS256", ALG_RSA_PSS, "RSA", NULL, "SHA256", 0, ROW(3)},
    {"PS384", ALG_RSA_PSS, "RSA", NULL, "SHA384", 0, ROW(4)},
    {"PS512", ALG_RSA_PSS, "RSA", NULL, "SHA512", 0, ROW(5)},
    {"ES256", ALG_ECDSA, "EC", "P-256", "SHA256", 64, ROW(6)},
    {"ES384", ALG_ECDSA, "EC", "P-384", "SHA384", 96, ROW(7)},
    {"ES512", ALG_ECDSA, "EC", "P-521", "SHA512", 132, ROW(8)},
    {"EdDSA", ALG_EDDSA, "OKP", NULL, NULL, 0, ROW(9)},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const alg_t *alg_find(text_t name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (text_equal(name, text_of(rows[i].name)))
            return &rows[i];
    return NULL;
}

alg_set alg_all(void)
{
    return ROW(ROWS) - 1;
}

alg_set alg_default(void)
{
    return ROW(0);
}

bool alg_set_read(text_t names, alg_set *set)
{
    alg_set found = 0;
    size_t start = 0;
    for (size_t i = 0; i <= names.len; i++) {
        bool ends = i == names.len || names.at[i] == ' ' || names.at[i] == '\t' || names.at[i] == ',';
        if (!ends)
            continue;
        if (i > start) {
            const alg_t *alg = alg_find((text_t){names.at + start, i - start});
            if (alg == NULL)
                return false;
            found |= alg->bit;
        }
        start = i + 1;
    }
    if (found == 0)
        return false;
    *set = found;
    return true;
}
