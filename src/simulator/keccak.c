/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/keccak.h"

#include <string.h>

#define ROUNDS 24

/* FIPS 202 section 3.2.5 (iota) and 3.2.2 (rho, in the order in which pi visits the lanes). */
static const uint64_t round_constants[ROUNDS] = {0x0000000000000001, 0x0000000000008082, 0x800000000000808a,
	0x8000000080008000, 0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a, 0x000000008000808b,
	0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
	0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001,
	0x8000000080008008};
static const unsigned rotations[24] = {
	1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
static const unsigned lanes[24] = {
	10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};

static uint64_t rotate(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void theta(uint64_t *s)
{
	uint64_t columns[5];

	for (size_t x = 0; x < 5; x++)
		columns[x] = s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
	for (size_t i = 0; i < 25; i++)
		s[i] ^= columns[(i % 5 + 4) % 5] ^ rotate(columns[(i % 5 + 1) % 5], 1);
}

static void rho_pi(uint64_t *s)
{
	uint64_t moving = s[1];

	for (size_t i = 0; i < 24; i++) {
		uint64_t displaced = s[lanes[i]];

		s[lanes[i]] = rotate(moving, rotations[i]);
		moving = displaced;
	}
}

static void chi(uint64_t *s)
{
	for (size_t y = 0; y < 25; y += 5) {
		uint64_t row[5];

		memcpy(row, s + y, sizeof(row));
		for (size_t x = 0; x < 5; x++)
			s[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
	}
}

static void permute(uint64_t *s)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		theta(s);
		rho_pi(s);
		chi(s);
		s[0] ^= round_constants[round];
	}
}

static void absorb_byte(uint64_t *s, size_t at, uint8_t byte)
{
	s[at / 8] ^= (uint64_t)byte << 8 * (at % 8);
}

void keccak(size_t size, const struct cur *parts, size_t n, uint8_t *ret)
{
	size_t rate = 200 - 2 * size; /* bytes: 1600 bits of state less twice the digest */
	uint64_t s[25] = {0};
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < parts[i].left; j++) {
			absorb_byte(s, at++, parts[i].p[j]);
			if (at == rate) {
				permute(s);
				at = 0;
			}
		}
	}
	absorb_byte(s, at, 0x01);
	absorb_byte(s, rate - 1, 0x80);
	permute(s);
	for (size_t i = 0; i < size; i++)
		ret[i] = (uint8_t)(s[i / 8] >> 8 * (i % 8));
}

void keccak256(const struct cur *parts, size_t n, uint8_t ret[static KECCAK256_SIZE])
{
	keccak(KECCAK256_SIZE, parts, n, ret);
}
