/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

static void fill(struct buf *b, uint8_t byte, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_u8(b, byte);
}

static void sample_body(struct buf *b, enum quote_body body, const struct sample_td *td)
{
	fill(b, 0x01, 16); /* TEE_TCB_SVN */
	fill(b, 0x02, 48); /* MRSEAM */
	fill(b, 0x03, 48); /* MRSIGNERSEAM */
	fill(b, 0x04, 8);  /* SEAMATTRIBUTES */
	fill(b, 0x05, 8);  /* TDATTRIBUTES */
	fill(b, 0x06, 8);  /* XFAM */
	fill(b, 0x11, 48); /* MRTD */
	fill(b, 0x12, 48); /* MRCONFIGID */
	fill(b, 0x13, 48); /* MROWNER */
	fill(b, 0x14, 48); /* MROWNERCONFIG */
	for (uint8_t i = 0; i < 3; i++)
		fill(b, (uint8_t)(0x20 + i), 48);
	if (td != NULL) {
		buf_bytes(b, td->rtmr3, sizeof(td->rtmr3));
		buf_bytes(b, td->report_data, sizeof(td->report_data));
	} else {
		fill(b, 0x23, 48);
		fill(b, 0x24, 64);
	}
	if (body == QUOTE_BODY_TD15) {
		fill(b, 0x25, 16); /* TEE_TCB_SVN2 */
		fill(b, 0x26, 48); /* MRSERVICETD */
	}
}

static void sample_auth(struct buf *b)
{
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	const uint32_t inner = sizeof(pem), outer = 384 + 64 + 2 + 32 + 6 + inner;

	buf_u32le(b, 128 + 6 + outer);
	fill(b, 0x31, 64); /* signature */
	fill(b, 0x32, 64); /* attestation key */
	buf_u16le(b, 6);
	buf_u32le(b, outer);
	fill(b, 0x41, 16); /* QE report: CPUSVN */
	fill(b, 0x42, 4);  /* MISCSELECT */
	fill(b, 0x43, 28);
	fill(b, 0x44, 16); /* ATTRIBUTES */
	fill(b, 0x45, 32); /* MRENCLAVE */
	fill(b, 0x46, 32);
	fill(b, 0x47, 32); /* MRSIGNER */
	fill(b, 0x48, 96);
	buf_u16le(b, 0x4950); /* ISVPRODID */
	buf_u16le(b, 0x5152); /* ISVSVN */
	fill(b, 0x53, 60);
	fill(b, 0x54, 64); /* REPORTDATA */
	fill(b, 0x33, 64); /* its signature */
	buf_u16le(b, 32);
	fill(b, 0x34, 32); /* QE authentication data */
	buf_u16le(b, 5);
	buf_u32le(b, inner);
	buf_bytes(b, pem, inner);
}

void sample_quote(struct buf *b, uint16_t version, enum quote_body body, const struct sample_td *td)
{
	static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d,
		0xb3, 0x95, 0x7f, 0x06, 0x07};

	buf_u16le(b, version);
	buf_u16le(b, 2);
	buf_u32le(b, QUOTE_TEE_TDX);
	buf_u32le(b, 0);
	buf_bytes(b, vendor, sizeof(vendor));
	fill(b, 0x07, 20);
	if (version == 5) {
		buf_u16le(b, (uint16_t)body);
		buf_u32le(b, body == QUOTE_BODY_TD15 ? 648 : 584);
	}
	sample_body(b, body, td);
	sample_auth(b);
	fill(b, 0, SAMPLE_PADDING);
}
