/*
 * filter.c - a list of system calls as a seccomp program
 *
 * Every forked process hands the program to the kernel, which checks and
 * translates it, so what counts is that it is short. The list is a bitmap in
 * words of 32 calls: find the word, shift, test. Calls whose arguments decide
 * are compared first. Returns come last, one for each outcome, so that every
 * jump goes forward as the kernel wants.
 *
 * (Shifting also makes the kernel give up finding out ahead which calls are
 * always allowed, which costs more than a process that serves one connection
 * can save by it.)
 */
#include "os/internal.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MACHINE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define MACHINE AUDIT_ARCH_S390X
#elif defined(__i386__)
#define MACHINE AUDIT_ARCH_I386
#else
#error "the AUDIT_ARCH of this machine is needed here"
#endif

/* Calls of the x32 ABI have the same machine type (seccomp(2), NOTES); no
 * other machine has numbers as high. */
#define FOREIGN 0x40000000u

#define ARG_OFFSET(n) (offsetof(struct seccomp_data, args) + 8 * (n) + \
	(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

#define WORD_SHIFT 5
#define WORD_BITS (1 << WORD_SHIFT)
#define WORDS (FILTER_CALLS_MAX / WORD_BITS)

struct builder {
	struct sock_filter *out;
	size_t n;
	/* Where each check and each return begins. */
	size_t check[FILTER_CHECKS_MAX], leaf[FILTER_LEAVES];
};

void
filter_init(struct filter_plan *p, enum filter_leaf other,
    enum filter_leaf listed)
{
	*p = (struct filter_plan){ .other = other, .listed = listed };
}

void
filter_list(struct filter_plan *p, int call)
{
	if (call < 0)
		return;
	assert(call < FILTER_CALLS_MAX);
	p->words[call / WORD_BITS] |= UINT32_C(1) << call % WORD_BITS;
}

void
filter_check(struct filter_plan *p, int call,
    const struct filter_check *check)
{
	if (call < 0)
		return;
	assert(call < FILTER_CALLS_MAX && p->nchecks < FILTER_CHECKS_MAX &&
	    check->n <= FILTER_VALUES_MAX);
	p->calls[p->nchecks] = (uint32_t)call;
	p->checks[p->nchecks++] = *check;
}

static void
add(struct builder *b, unsigned int code, uint32_t k)
{
	assert(b->n < FILTER_MAX);
	b->out[b->n++] = (struct sock_filter){ .code = (uint16_t)code,
	    .k = k };
}

/* A comparison, and where to go on. */
static void
add_jump(struct builder *b, unsigned int compare, uint32_t k, size_t yes,
    size_t no)
{
	struct sock_filter *i = &b->out[b->n];

	add(b, BPF_JMP | compare | BPF_K, k);
	/* Distances, from the instruction behind this one. */
	i->jt = (uint8_t)(yes - b->n);
	i->jf = (uint8_t)(no - b->n);
}

static void
add_load(struct builder *b, size_t offset)
{
	add(b, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* Behind what comes before the checks. */
static void
lay_out(struct builder *b, const struct filter_plan *p, size_t at)
{
	for (size_t i = 0; i < p->nchecks; i++) {
		b->check[i] = at;
		at += 1 + (p->checks[i].mask != UINT32_MAX) + p->checks[i].n;
	}
	for (size_t i = 0; i < FILTER_LEAVES; i++)
		b->leaf[i] = at++;
	assert(at <= FILTER_MAX);
}

static size_t
words_used(const struct filter_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < WORDS; i++)
		n += p->words[i] != 0;
	return n;
}

/* 4 + 3 for each word + 3 instructions; the number of the call is loaded. */
static void
add_bitmap(struct builder *b, const struct filter_plan *p)
{
	size_t test = b->n + 4 + 3 * words_used(p) + 1;

	add(b, BPF_ALU | BPF_AND | BPF_K, WORD_BITS - 1);
	add(b, BPF_MISC | BPF_TAX, 0);
	add_load(b, offsetof(struct seccomp_data, nr));
	add(b, BPF_ALU | BPF_RSH | BPF_K, WORD_SHIFT);
	for (uint32_t i = 0; i < WORDS; i++) {
		if (p->words[i] == 0)
			continue;
		add_jump(b, BPF_JEQ, i, b->n + 1, b->n + 3);
		add(b, BPF_LD | BPF_IMM, p->words[i]);
		add(b, BPF_JMP | BPF_JA, (uint32_t)(test - b->n - 1));
	}
	add(b, BPF_JMP | BPF_JA, (uint32_t)(b->leaf[p->other] - b->n - 1));
	add(b, BPF_ALU | BPF_RSH | BPF_X, 0);
	add_jump(b, BPF_JSET, 1, b->leaf[p->listed], b->leaf[p->other]);
}

static void
add_check(struct builder *b, const struct filter_check *c)
{
	add_load(b, ARG_OFFSET(c->arg));
	if (c->mask != UINT32_MAX)
		add(b, BPF_ALU | BPF_AND | BPF_K, c->mask);
	for (size_t i = 0; i < c->n; i++)
		add_jump(b, BPF_JEQ, c->values[i], b->leaf[c->yes],
		    i + 1 < c->n ? b->n + 1 : b->leaf[c->no]);
}

static void
add_returns(struct builder *b)
{
	static const uint32_t action[FILTER_LEAVES] = {
		[FILTER_KILL] = SECCOMP_RET_KILL_PROCESS,
		[FILTER_TRAP] = SECCOMP_RET_TRAP,
		[FILTER_ALLOW] = SECCOMP_RET_ALLOW,
		[FILTER_EPERM] = SECCOMP_RET_ERRNO | EPERM,
		[FILTER_EACCES] = SECCOMP_RET_ERRNO | EACCES,
	};

	for (size_t i = 0; i < FILTER_LEAVES; i++)
		add(b, BPF_RET | BPF_K, action[i]);
}

/* Before the bitmap: the machine, foreign ABIs, calls with checks. */
#define HEAD_SIZE 4

size_t
filter_build(const struct filter_plan *p, struct sock_filter *out)
{
	struct builder b = { .out = out };

	lay_out(&b, p, HEAD_SIZE + p->nchecks + 7 + 3 * words_used(p));
	add_load(&b, offsetof(struct seccomp_data, arch));
	add_jump(&b, BPF_JEQ, MACHINE, b.n + 1, b.leaf[FILTER_KILL]);
	add_load(&b, offsetof(struct seccomp_data, nr));
	add_jump(&b, BPF_JGE, FOREIGN, b.leaf[FILTER_KILL], b.n + 1);
	for (size_t i = 0; i < p->nchecks; i++)
		add_jump(&b, BPF_JEQ, p->calls[i], b.check[i], b.n + 1);
	add_bitmap(&b, p);
	for (size_t i = 0; i < p->nchecks; i++)
		add_check(&b, &p->checks[i]);
	add_returns(&b);
	return b.n;
}
