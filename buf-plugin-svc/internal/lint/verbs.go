package lint

import "strings"

// verbs are what RPCs begin with. A word that is a noun at least as often, such
// as "order" or "user", is left out: with it, OrderGet would pass.
var verbs = set(`
	abandon abort accept access acknowledge acquire activate add adjust advance aggregate alloc
	allocate allow analyse analyze annotate announce answer append apply approve archive ask assert
	assess assign assume attach attest authenticate authorise authorize backfill backup ban
	batch begin bind block book bootstrap broadcast browse build bulk bump buy calculate call cancel
	capture change charge chat check checkout checkpoint choose claim classify clean cleanup clear
	clone close collect combine commit compact compare compile complete compose compress compute
	conclude configure confirm connect consume contact contribute convert copy correct count cover
	create credit deactivate debit debug decide decline decode decrease decrypt deduct defer define
	defragment deidentify delegate delete deliver demote deny deploy deposit deprecate dequeue derive
	describe destroy detach detect determine diagnose dial diff disable discard disconnect discover
	dismiss dispatch display dispute distribute downgrade download drain draw drop dry dump duplicate
	earn echo edit embed emit enable encode encrypt end enforce enqueue enrich enroll ensure enter
	enumerate erase escalate establish estimate eval evaluate evict exchange exclude exec execute exit
	expand expire explain explore export expose extend extract fail fetch fill filter finalise
	finalize find finish fire fix flag flush follow force forecast forget format forward freeze
	fulfill fund gather generate get give grant greet group guess halt handle handshake has hash have
	heartbeat hide hold identify ignore import include increase increment index infer inform ingest
	init initialise initialize initiate inject insert inspect install instantiate intercept introspect
	invalidate invite invoke is issue join judge keep kick kill label launch learn lease leave lend
	like limit link list listen load localise localize locate lock login logout lookup make manage map
	mark match materialize measure merge migrate mint mirror modify monitor mount move mutate mute
	negotiate normalise normalize notify observe obtain offer open optimise optimize organise organize
	outbid overwrite pack parse partition patch pause pay perform persist pick pin ping place plan
	play poll pop populate post precompute predict preload prepare preview print probe process produce
	promote propose protect provide provision prune publish pull purchase purge push put query queue
	quit quote raise rank rate react read rebalance rebase reboot rebuild recall receive recognise
	recognize recommend reconcile reconnect record recover recreate redact redeem redirect reduce
	refer refresh refund regenerate register reidentify reindex reinit reject relay release reload
	relocate rematch remind remove rename render renew reopen reorder repair reparent repeat replace
	replay replicate reply report repost request require rescan reschedule resend reserve reset
	reshard resize resolve respond restart restore restrict resume resync retire retrieve retry return
	revert review revise revoke reward rewind rewrite roll rollback rotate route run sample sanitise
	sanitize save say scale scan scatter schedule score scrape scroll scrub seal search seed seek
	select sell send serve set settle setup share ship show shuffle shutdown sign signal simulate skip
	sleep snapshot solve sort spend split stage star start stat stop store stream submit subscribe
	suggest sum summarise summarize suspend swap switch sync synchronise synchronize synthesize tag
	tail take tally terminate test toggle tokenize touch track train transact transcode transcribe
	transfer transform transition translate traverse trigger trim truncate try unarchive unassign
	unbind unblock unclaim undelegate undelete undeploy undeprecate undo unfollow unfreeze uninstall
	unjail unlink unlock unmount unmute unpack unpause unpin unpublish unregister unshare unstar
	unsubscribe untag unwatch update upgrade upload upsert use vacuum validate verify view visit void
	vote wait wake warm warn watch whitelist withdraw withhold wrap write yield zip`)

// money are the words that name an amount of money when a field's name ends with
// them.
var money = set(`
	amount balance bill budget charge commission cost credit debit deposit discount dividend due
	earning expense fare fee fine gratuity income markup money payment payout pension penalty price
	proceeds profit refund rent revenue royalty salary spend subtotal surcharge tariff tax tip toll
	total tuition turnover vat wage`)

// currencies and units may follow them: price_usd, total_minor.
var qualifiers = set(`
	aud brl cad chf cny czk dkk eur gbp hkd inr jpy krw mxn nok nzd pln sek sgd try usd zar
	cent dollar euro gross local major minor net paid pound unit value`)

func set(list string) map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		words[word] = true
	}
	return words
}
