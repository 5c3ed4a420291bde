// tls-clients.js BASE PASSWORD CA - imapflow and nodemailer behind TLS
const fs = require('fs');
const { ImapFlow } = require(process.env.NODE_CLIENTS + '/imapflow');
const nodemailer = require(process.env.NODE_CLIENTS + '/nodemailer');
const base = +process.argv[2], pass = process.argv[3], user = 'mail@localhost';
const ca = fs.readFileSync(process.argv[4]);
const key = name => name ? { ca, cert: fs.readFileSync(name + '.cert.pem'), key: fs.readFileSync(name + '.key.pem') } : { ca };
const check = (name, got, want) => console.log(name + '\t' + (got === want ? 'ok' : 'got ' + got + ', want ' + want));
async function imap(secure, auth, cert) {
	const c = new ImapFlow({ host: 'localhost', port: base + (secure ? 993 : 143), secure, logger: false,
		doSTARTTLS: !secure, tls: key(cert), auth });
	c.on('error', () => {});
	try {
		await c.connect();
		const box = await c.mailboxOpen('INBOX');
		const one = await c.fetchOne('1', { envelope: true });
		await c.logout();
		return box.path + ' ' + one.envelope.subject;
	} catch (e) {
		c.close();
		return e.authenticationFailed ? 'wrong' : String(e);
	}
}
async function smtp(secure, auth, cert) {
	const t = nodemailer.createTransport({ host: 'localhost', port: base + (secure ? 465 : 587), secure,
		requireTLS: !secure, tls: key(cert), auth });
	try {
		const r = await t.sendMail({ from: user, to: user, subject: 'by nodemailer', text: 'text' });
		return r.response.slice(0, 3);
	} catch (e) {
		return String(e.responseCode);
	}
}
(async () => {
	for (const secure of [false, true]) {
		const where = secure ? 'TLS' : 'STARTTLS';
		for (const m of ['AUTH=PLAIN', 'AUTH=LOGIN', 'LOGIN']) {
			check(`imapflow ${where} ${m}, wrong password`, await imap(secure, { user, pass: 'wrong', loginMethod: m }), 'wrong');
			check(`imapflow ${where} ${m}`, await imap(secure, { user, pass, loginMethod: m }), 'INBOX by a client');
		}
		for (const method of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
			check(`nodemailer ${where} ${method}, wrong password`, await smtp(secure, { method, user, pass: 'wrong' }), '535');
			check(`nodemailer ${where} ${method}`, await smtp(secure, { method, user, pass }), '250');
		}
		check(`U-10 nodemailer ${where}, client certificate`, await smtp(secure, undefined, 'laptop'), '250');
		check(`nodemailer ${where}, another certificate`, await smtp(secure, undefined, 'other'), '530');
	}
	check('I-11 imapflow TLS, client certificate: PREAUTH', await imap(true, { user }, 'laptop'), 'INBOX by a client');
	check('U-11 imapflow STARTTLS, client certificate and password', await imap(false, { user, pass }, 'laptop'), 'INBOX by a client');
})().catch(e => { console.error(e); process.exit(1); });
