/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/home.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/secret.h"
#include "simulator/forge_x509.h"
#include "simulator/settings.h"

#define SEED_TEXT_SIZE (2 * FORGE_SEED_SIZE)

static const char *const files[] = {"seed", "root.pem", "kms-root.pem", "collateral.json"};

int home_open(struct home *h, const char *dir, struct ratls_error *err)
{
	const char *tmp = env_get("TMPDIR");
	char path[PATH_MAX];
	bool temporary = dir == NULL;
	int n = temporary ? snprintf(path, sizeof(path), "%s/teesql-simulator-XXXXXX",
				    tmp != NULL ? tmp : "/tmp")
			  : snprintf(path, sizeof(path), "%s", dir);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(err, RATLS_E_ARG, "could not use the folder: its name is too long");
	if (temporary ? mkdtemp(path) == NULL : mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_set(
			err, RATLS_E_IO, "could not create the folder \"%s\": %s", path, strerror(errno));
	if (realpath(path, h->dir) == NULL)
		return err_set(err, RATLS_E_IO, "could not use the folder \"%s\": %s", path, strerror(errno));
	h->temporary = temporary;
	h->lock = open(h->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->lock < 0)
		return err_set(err, RATLS_E_IO, "could not open the folder \"%s\": %s", h->dir, strerror(errno));
	/* Not every file system can lock a folder; there nobody is kept out. */
	if (flock(h->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return err_set(err, RATLS_E_IO, "the folder \"%s\" is in use by another simulator", h->dir);
	return RATLS_OK;
}

int home_path(const struct home *h, const char *file, char ret[static PATH_MAX], struct ratls_error *err)
{
	int n = snprintf(ret, PATH_MAX, "%s/%s", h->dir, file);

	if (n < 0 || n >= PATH_MAX)
		return err_set(err, RATLS_E_ARG, "could not use \"%s\": the folder's name is too long", file);
	return RATLS_OK;
}

static int seed_of_file(const char *path, uint8_t *ret, struct ratls_error *err)
{
	struct buf text = {0};
	int rc = file_read(path, SEED_TEXT_SIZE + 1, &text, err);

	if (rc != RATLS_OK)
		return rc;
	if (text.len < SEED_TEXT_SIZE ||
		!hex_decode((const char *)text.p, SEED_TEXT_SIZE, ret, FORGE_SEED_SIZE))
		rc = err_set(err, RATLS_E_ARG, "file \"%s\" does not hold a seed", path);
	secret_buf_done(&text);
	return rc;
}

static int seed_anew(const char *path, uint8_t *ret, struct ratls_error *err)
{
	char text[SEED_TEXT_SIZE + 1];

	if (RAND_bytes(ret, FORGE_SEED_SIZE) != 1)
		return err_set(err, RATLS_E_CRYPTO, "could not make a random seed");
	hex_encode(ret, FORGE_SEED_SIZE, text);
	text[SEED_TEXT_SIZE] = '\n';
	return file_write(path, text, sizeof(text), 0600, err);
}

int home_seed(
	const struct home *h, const char *hex, uint8_t ret[static FORGE_SEED_SIZE], struct ratls_error *err)
{
	char path[PATH_MAX];
	int rc;

	if (hex != NULL)
		return settings_hex("seed", hex, ret, FORGE_SEED_SIZE, err);
	rc = home_path(h, "seed", path, err);
	if (rc != RATLS_OK)
		return rc;
	return access(path, F_OK) == 0 ? seed_of_file(path, ret, err) : seed_anew(path, ret, err);
}

static int write_file(const struct home *h, const char *file, const struct buf *text, struct ratls_error *err)
{
	char path[PATH_MAX];
	int rc = home_path(h, file, path, err);

	if (rc == RATLS_OK && text->bad)
		rc = err_set(err, RATLS_E_NOMEM, "could not write \"%s\": out of memory", path);
	return rc == RATLS_OK ? file_write(path, text->p, text->len, 0644, err) : rc;
}

static int write_certificate(
	const struct home *h, const char *file, const struct buf *der, struct ratls_error *err)
{
	struct buf pem = {0};
	int rc;

	forge_pem_put(&pem, "CERTIFICATE", cur_of(der->p, der->len));
	rc = write_file(h, file, &pem, err);
	buf_done(&pem);
	return rc;
}

int home_publish(const struct home *h, const struct forge_machine *m, struct ratls_error *err)
{
	struct buf collateral = {0};
	int rc = write_certificate(h, "root.pem", &m->pki.cert[FORGE_ROOT], err);

	if (rc == RATLS_OK)
		rc = write_certificate(h, "kms-root.pem", &m->kms_root, err);
	if (rc == RATLS_OK)
		rc = forge_machine_collateral(m, &collateral, err);
	if (rc == RATLS_OK)
		rc = write_file(h, "collateral.json", &collateral, err);
	buf_done(&collateral);
	return rc;
}

void home_close(struct home *h)
{
	char path[PATH_MAX];

	if (!h->temporary)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (home_path(h, files[i], path, NULL) == RATLS_OK)
			unlink(path);
	rmdir(h->dir);
}
