/* store-move - move messages to another mailbox. See store-move(1) */
#include "account/account.h"
#include "base/base.h"

static const char usage[] = "usage: store-move [-0cv] -a account "
    "[-m mailbox] target uid ...";

int
main(int argc, char *argv[])
{
	msg_init("store-move");
	return account_transfer(argc, argv, true, usage);
}
