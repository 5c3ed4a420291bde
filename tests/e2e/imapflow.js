// imapflow.js PORT PASSWORD - list, select and fetch through imapflow
const { ImapFlow } = require(process.env.NODE_CLIENTS + '/imapflow');
(async () => {
	const c = new ImapFlow({ host: '127.0.0.1', port: +process.argv[2], secure: false, logger: false,
		doSTARTTLS: false, auth: { user: 'mail@localhost', pass: process.argv[3] } });
	await c.connect();
	const boxes = (await c.list()).map(b => b.path);
	if (!boxes.includes('INBOX') || !boxes.includes('Sent')) throw new Error('mailboxes: ' + boxes);
	const lock = await c.getMailboxLock('INBOX');
	let n = 0;
	for await (const m of c.fetch('1:*', { envelope: true, bodyStructure: true, source: true, flags: true })) {
		if (!m.source.length || !m.envelope || !m.bodyStructure) throw new Error('fetch ' + m.uid);
		n++;
	}
	lock.release();
	await c.logout();
	if (!n) throw new Error('no messages');
})().catch(e => { console.error(e); process.exit(1); });
