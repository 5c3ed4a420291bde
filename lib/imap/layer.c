/*
 * layer.c - COMPRESS (RFC 4978) and UNAUTHENTICATE (RFC 8437): commands after
 * which other bytes are on the wire, or another process speaks
 */
#include "imap/internal.h"

/*
 * The client waits for the OK before it sends anything compressed, and sends
 * nothing else before it (RFC 4978 3): what is here already is either of a
 * broken client or of somebody who put it there.
 */
void
command_compress(struct imap *im, struct parser *p)
{
	struct bytes algorithm;

	if (!parse_space(p) || !parse_atom(p, &algorithm) || !parse_end(p))
		return;
	if ((im->off & CAP_BIT(CAP_COMPRESS)) != 0 ||
	    !bytes_caseeq(algorithm, BYTES("DEFLATE"))) {
		reply_no(im, "CANNOT", "unknown compression");
	} else if (im->compressed) {
		reply_no(im, "COMPRESSIONACTIVE", "compressed already");
	} else if (im->in.b.n > im->in.text_end) {
		reply_bad(im, "nothing may follow COMPRESS");
		imap_bye(im, NULL, "bytes behind COMPRESS");
	} else {
		reply_ok(im, NULL, "compression begins");
		im->compressed = im->compress_begins = true;
	}
}

/*
 * Nothing is said of the mailbox (RFC 8437 3); who takes the connection over
 * says OK. There is no NO: a client may have sent its next login already.
 */
void
command_unauthenticate(struct imap *im, struct parser *p)
{
	if ((im->off & CAP_BIT(CAP_UNAUTHENTICATE)) != 0) {
		(void)parse_fail(p, "UNAUTHENTICATE is not offered");
		return;
	}
	if (!parse_end(p))
		return;
	box_close(im);
	im->mode = MODE_UNAUTHENTICATE;
}

struct bytes
imap_pending(const struct imap *im)
{
	return buf_bytes(&im->in.b);
}

struct bytes
imap_tag(const struct imap *im)
{
	return im->tag;
}
