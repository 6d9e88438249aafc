/* schema.h — the tables, and how files of older versions become new ones.
 *
 * PRAGMA user_version counts the migrations that a file has had; PRAGMA application_id says
 * that it is ours. A migration is never changed once released: add another one. */
#ifndef FLOWLET_STORE_SCHEMA_H
#define FLOWLET_STORE_SCHEMA_H

#include "store/sqlite/tx.h"

/* Makes the tables of an empty file, migrates an older one; refuses what is damaged (ERR_CORRUPT),
 * somebody else's (ERR_INVALID) or newer (ERR_NEWER). path is for the last two's sentences. */
MUST_USE bool schema_prepare(struct store_tx *tx, const char *path, struct error *err);

#endif
