/* store-copy - copy messages to another mailbox. See store-copy(1) */
#include "account/account.h"
#include "base/base.h"

static const char usage[] = "usage: store-copy [-0cv] -a account "
    "[-m mailbox] target uid ...";

int
main(int argc, char *argv[])
{
	msg_init("store-copy");
	return account_transfer(argc, argv, false, usage);
}
