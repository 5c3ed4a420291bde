/*
 * spf_zone.h - zone data of spf_test.c: "name TYPE text"
 *
 * "~" in a name is a space; the text TEMP makes the look-up fail.
 */
#ifndef SPF_ZONE_H
#define SPF_ZONE_H

static const char *const zone[] = {
	"ip.example TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all",
	"soft.example TXT v=spf1 ~all",
	"neutral.example TXT v=spf1 ?all",
	"empty.example TXT v=spf1",
	"case.example TXT V=SPF1 IP4:192.0.2.1 -ALL",
	"spaces.example TXT v=spf1   ip4:192.0.2.1   -all ",
	"other.example TXT v=spf10 +all",
	"other.example TXT something else",
	"beside.example TXT something \x80 else",
	"beside.example TXT v=spf1 +all",
	"two.example TXT v=spf1 +all",
	"two.example TXT v=spf1 -all",
	"tempfail.example TXT TEMP",
	"notxt.example A 192.0.2.1",
	"syntax.example TXT v=spf1 +all foo",
	"mapped.example TXT v=spf1 ip6:::ffff:192.0.2.1 -all",
	"any6.example TXT v=spf1 ip6:::/0 -all",

	"a.example TXT v=spf1 a -all",
	"a.example A 192.0.2.1",
	"a.example AAAA 2001:db8::1",
	"acidr.example TXT v=spf1 a:a.example/24//64 -all",
	"atemp.example TXT v=spf1 a:tempa.example -all",
	"tempa.example A TEMP",
	"a6.example TXT v=spf1 a:only6.example -all",
	"only6.example AAAA 2001:db8::1",

	"mx.example TXT v=spf1 mx -all",
	"mx.example MX 10 a.example",
	"mx.example MX 20 other-host.example",
	"other-host.example A 192.0.2.9",
	"nullmx.example TXT v=spf1 mx -all",
	"nullmx.example MX 0 .",
	"nomx.example TXT v=spf1 mx -all",
	"nomx.example A 192.0.2.1",
	"mx10.example TXT v=spf1 mx -all",
	"mx11.example TXT v=spf1 mx -all",
	"mxtemp.example TXT v=spf1 mx -all",
	"mxtemp.example MX 20 a.example",
	"mxtemp.example MX 10 tempa.example",
	"mxtemp2.example TXT v=spf1 mx -all",
	"mxtemp2.example MX 10 a.example",
	"mxtemp2.example MX 20 tempa.example",

	"1.2.0.192.in-addr.arpa PTR host.ptr.example",
	"1.2.0.192.in-addr.arpa PTR liar.example",
	"host.ptr.example A 192.0.2.1",
	"liar.example A 192.0.2.200",
	"ptr.example TXT v=spf1 ptr -all",
	"ptr2.example TXT v=spf1 ptr:liar.example -all",
	"ptr3.example TXT v=spf1 ptr:tr.example -all",
	"p.example TXT v=spf1 exists:%{p}.p.example -all",
	"host.ptr.example.p.example A 127.0.0.2",

	"exists.example TXT v=spf1 exists:%{i}._x.%{d} -all",
	"192.0.2.1._x.exists.example A 127.0.0.2",
	("2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1"
	    "._x.exists.example A 127.0.0.2"),

	"inc.example TXT v=spf1 include:ip.example ~all",
	"incsoft.example TXT v=spf1 include:soft.example ?all",
	"incneutral.example TXT v=spf1 include:neutral.example ~all",
	"incnone.example TXT v=spf1 include:notxt.example -all",
	"inctemp.example TXT v=spf1 include:tempfail.example -all",
	"incperm.example TXT v=spf1 include:syntax.example -all",
	"redir.example TXT v=spf1 redirect=ip.example",
	"rediratend.example TXT v=spf1 redirect=soft.example ip4:192.0.2.1",
	"redirall.example TXT v=spf1 redirect=syntax.example -all",
	"redirnone.example TXT v=spf1 redirect=notxt.example",
	"redirtemp.example TXT v=spf1 redirect=tempfail.example",
	"redirimplicit.example TXT v=spf1 redirect=a.example",
	"loop.example TXT v=spf1 include:loop.example -all",
	"rloop.example TXT v=spf1 redirect=rloop.example",

	"l10.example TXT v=spf1 a:h.l.example a:h.l.example a:h.l.example "
	    "a:h.l.example a:h.l.example a:h.l.example a:h.l.example "
	    "a:h.l.example a:h.l.example a:h.l.example ip4:192.0.2.1 -all",
	"l11.example TXT v=spf1 a:h.l.example a:h.l.example a:h.l.example "
	    "a:h.l.example a:h.l.example a:h.l.example a:h.l.example "
	    "a:h.l.example a:h.l.example include:lone.example "
	    "ip4:192.0.2.1 -all",
	"lone.example TXT v=spf1 a:h.l.example -all",
	"lp.example TXT v=spf1 a:h.l.example a:h.l.example a:h.l.example "
	    "a:h.l.example a:h.l.example a:h.l.example a:h.l.example "
	    "a:h.l.example a:h.l.example exists:%{p}.nowhere.example +all",
	"h.l.example A 192.0.2.77",
	"v2.example TXT v=spf1 a:n1.example mx:n2.example ip4:192.0.2.1 -all",
	"v3.example TXT v=spf1 a:n1.example mx:n2.example exists:n3.example "
	    "ip4:192.0.2.1 -all",
	"vmx.example TXT v=spf1 mx:mxvoid.example a:n1.example ?all",
	"mxvoid.example MX 1 n1.example",
	"mxvoid.example MX 2 n2.example",
	"mxvoid.example MX 3 n3.example",

	"exp.example TXT v=spf1 -all exp=why.%{d}",
	"why.exp.example TXT %{i}%_is not%_a friend of %{S}; %{r} said at "
	    "%{t}: 100%% %{c} %{v} %{h} %{o} %{l}",
	"expinc.example TXT v=spf1 include:exp.example -all exp=e.example",
	"e.example TXT own text",
	"expredir.example TXT v=spf1 exp=e.example redirect=exp0.example",
	"exp0.example TXT v=spf1 -all",
	"exptwo.example TXT v=spf1 -all exp=exptwotext.example",
	"exptwotext.example TXT a",
	"exptwotext.example TXT b",
	"exp8.example TXT v=spf1 -all exp=exp8text.example",
	"exp8text.example TXT caf\xc3\xa9",
	"expbad.example TXT v=spf1 -all exp=expbadtext.example",
	"expbadtext.example TXT 100%",
	"expnone.example TXT v=spf1 -all exp=no.example",
	"exptemp.example TXT v=spf1 -all exp=tempfail.example",
	"expvoid.example TXT v=spf1 a:n1.example a:n2.example -all "
	    "exp=no.example",
	"exppass.example TXT v=spf1 +all exp=e.example",
	"explong.example TXT v=spf1 -all exp=explongtext.example",
	"explong1.example TXT v=spf1 -all exp=explong1text.example",
	"expl.example TXT v=spf1 -all exp=expltext.example",
	"expltext.example TXT [%{l}]",

	"m1.example TXT v=spf1 exists:%{l1r-}.%{d2}.x -all",
	"a.m1.example.x A 127.0.0.2",
	"m2.example TXT v=spf1 exists:%{l2r+-}.m2.x -all",
	"b.a.m2.x A 127.0.0.2",
	"m3.example TXT v=spf1 exists:%{L}.m3.x -all",
	"a%26b.m3.x A 127.0.0.2",
	"m4.example TXT v=spf1 exists:a%%b%-c%_d.m4.x -all",
	"a%b%20c~d.m4.x A 127.0.0.2",
	"m5.example TXT v=spf1 exists:%{ir}.%{v}.%{h}.m5.x -all",
	"1.2.0.192.in-addr.mail.example.org.m5.x A 127.0.0.2",
	"m6.example TXT v=spf1 exists:%{s}.m6.x -all",
	"a@m6.example.m6.x A 127.0.0.2",
	"m7.example TXT v=spf1 exists:%{l}.m7.x. a:%{o} ~all",
	"long.example TXT v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.end.x -all",
};

#endif
