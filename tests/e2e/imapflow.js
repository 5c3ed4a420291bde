// imapflow.js PORT PASSWORD - imapflow lists, selects and fetches through a
// compressed connection, idles while other programs change the mailbox, and
// comes back with QRESYNC; lines "NAME<TAB>ok" or what was wrong
const { ImapFlow } = require(process.env.NODE_CLIENTS + '/imapflow');
const { execFileSync } = require('child_process');

function check(name, got, want) {
	const g = JSON.stringify(got), w = JSON.stringify(want);
	console.log(name + '\t' + (g === w ? 'ok' : 'got ' + g + ', want ' + w));
}

const run = (name, args, input) => execFileSync(name, args, { input }).toString();
const uids = box => run('store-list', ['-a', 'mail', '-m', box]).trim().split('\n').map(l => l.split('\t')[1]);
const deliver = subject => run('store-deliver', ['-a', 'mail'], `From: a@localhost\nSubject: ${subject}\n\nx\n`);

// The next event of that name, or 'nothing' after 20 s
const event = (c, name, good = () => true) => new Promise(done => {
	const timer = setTimeout(() => done('nothing'), 20000);
	c.on(name, e => good(e) && (clearTimeout(timer), done(e)));
});

async function client(said) {
	const c = new ImapFlow({ host: '127.0.0.1', port: +process.argv[2], secure: false, emitLogs: true, logger: false,
		doSTARTTLS: false, qresync: true, auth: { user: 'mail@localhost', pass: process.argv[3] } });
	c.on('log', l => l.msg && l.src && said.push(l.src + ' ' + l.msg));
	await c.connect();
	return c;
}

async function reading(c) {
	const boxes = (await c.list()).map(b => b.path);
	check('imapflow lists', boxes.includes('INBOX') && boxes.includes('Sent'), true);
	const lock = await c.getMailboxLock('INBOX');
	let n = 0, whole = 0;
	for await (const m of c.fetch('1:*', { envelope: true, bodyStructure: true, source: true, flags: true, threadId: true })) {
		n++;
		whole += m.source.length > 0 && !!m.envelope && !!m.bodyStructure && !!m.threadId;
	}
	lock.release();
	check('imapflow fetches every message', [n > 0, whole === n, n === uids('INBOX').length], [true, true, true]);
}

async function idling(c) {
	const lock = await c.getMailboxLock('INBOX');
	const before = c.mailbox.exists;
	const ended = c.idle();
	let next = event(c, 'exists');
	deliver('while idle');
	check('imapflow RFC 2177 IDLE: new mail', (await next).count, before + 1);
	const uid = uids('INBOX').pop();
	next = event(c, 'flags', e => e.flags.has('\\Flagged'));
	run('store-flag', ['-a', 'mail', '-m', 'INBOX', '+Flagged', uid]);
	check('imapflow IDLE: a flag', (await next).uid, +uid);
	next = event(c, 'expunge');
	run('store-expunge', ['-f', '-a', 'mail', '-m', 'INBOX', uid]);
	const gone = await next;
	check('imapflow RFC 7162 QRESYNC in IDLE: VANISHED with the UID', [gone.vanished, gone.uid, gone.earlier], [true, +uid, false]);
	await c.noop();		// ends IDLE
	await ended;
	lock.release();
}

(async () => {
	const said = [];
	let c = await client(said);
	check('imapflow RFC 4978 COMPRESS=DEFLATE', [said.some(l => /^c .*COMPRESS DEFLATE/.test(l)), !!c._deflate], [true, true]);
	check('imapflow ENABLE', [...c.enabled].sort(), ['CONDSTORE', 'QRESYNC', 'UTF8=ACCEPT']);
	await reading(c);
	await idling(c);
	deliver('kept');
	deliver('to vanish');
	const known = await c.mailboxOpen('INBOX');
	const [keep, lose] = uids('INBOX').slice(-2);
	await c.logout();

	// what happens while it is away
	run('store-flag', ['-a', 'mail', '-m', 'INBOX', '+Answered', keep]);
	run('store-expunge', ['-f', '-a', 'mail', '-m', 'INBOX', lose]);
	deliver('came meanwhile');
	said.length = 0;
	c = await client(said);
	const vanished = [], flagged = [];
	c.on('expunge', e => vanished.push([e.uid, e.earlier]));
	c.on('flags', e => flagged.push([e.uid, e.flags.has('\\Answered')]));
	const box = await c.mailboxOpen('INBOX', { changedSince: known.highestModseq, uidValidity: known.uidValidity });
	check('imapflow SELECT (QRESYNC) is sent', said.some(l => /^c .*SELECT INBOX \(QRESYNC \(\d+ \d+\)\)/.test(l)), true);
	check('imapflow and taken', box.qresync, true);
	check('imapflow QRESYNC: VANISHED (EARLIER)', vanished, [[+lose, true]]);
	check('imapflow QRESYNC: what changed, what came', [flagged[0], flagged.length], [[+keep, true], 2]);
	const since = [];
	for await (const m of c.fetch('1:*', { uid: true, flags: true }, { uid: true, changedSince: known.highestModseq })) since.push(m.uid);
	check('imapflow FETCH (CHANGEDSINCE VANISHED)', since.includes(+keep) && since.length === 2, true);
	check('imapflow STORE with UNCHANGEDSINCE', await c.messageFlagsAdd(keep, ['\\Flagged'], { uid: true, unchangedSince: box.highestModseq }), true);
	await c.append('Drafts', Buffer.from('Subject: by imapflow\r\n\r\n' + 'much the same\r\n'.repeat(5000)), ['\\Draft']);
	check('imapflow APPEND through compression', run('store-show', ['-a', 'mail', '-m', 'Drafts', uids('Drafts').pop()]).split('much the same').length, 5001);
	check('imapflow MOVE', !!(await c.messageMove(keep, 'Archive', { uid: true })), true);
	await c.logout();
})().catch(e => { console.error(e); process.exit(1); });
