#include "psl/psl.h"

#include <libpsl.h>

/* Lower-case C string without a trailing dot; false if it is no DNS name. */
static bool
to_name(struct bytes domain, char out[PSL_DOMAIN_MAX + 1])
{
	size_t i;

	if (domain.n > 0 && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (domain.n == 0 || domain.n > PSL_DOMAIN_MAX ||
	    bytes_has_nul(domain))
		return false;
	for (i = 0; i < domain.n; i++)
		out[i] = (char)ascii_lower(domain.p[i]);
	out[i] = '\0';
	return out[0] != '.' && strstr(out, "..") == NULL;
}

bool
psl_domain_is_suffix(struct bytes domain)
{
	char name[PSL_DOMAIN_MAX + 1];

	if (!to_name(domain, name))
		return domain.n == 0;
	if (strcmp(name, "localhost") == 0)
		return false;
	return psl_is_public_suffix(psl_builtin(), name) != 0;
}

struct bytes
psl_organisational_domain(struct arena *a, struct bytes domain)
{
	char name[PSL_DOMAIN_MAX + 1];
	const char *org;

	if (!to_name(domain, name))
		return arena_lower(a, domain);
	org = psl_registrable_domain(psl_builtin(), name);
	return arena_bytes(a, bytes_str(org != NULL ? org : name));
}
