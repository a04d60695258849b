package lint

import "strings"

// verbs are what RPCs begin with. A word that is a noun at least as often, such
// as "order" or "user", is left out: with it, OrderGet would pass.
var verbs = set(`
	abort accept access acknowledge acquire activate add adjust advance aggregate allocate allow
	analyze annotate announce answer append apply approve archive ask assert assess assign assume
	attach attest authenticate authorize backfill balance ban batch begin bind block book broadcast
	browse build bulk bump buy calculate call cancel capture change charge chat check checkout choose
	claim classify clean cleanup clear clone close collect combine commit compact compare compile
	complete compose compress compute configure confirm connect consume contact contribute convert
	copy correct count cover create credit deactivate debit debug decide decline decode decrease
	decrypt deduct defer define delete deliver demote deny deploy deposit deprecate dequeue derive
	describe destroy detach detect determine diagnose diff disable discard disconnect discover
	dismiss dispatch display dispute distribute download drain draw drop dry dump duplicate earn echo
	edit embed emit enable encode encrypt end enforce enqueue enrich enroll ensure enter enumerate
	erase escalate estimate evaluate evict exchange exclude execute exit expand expire explain
	explore export expose extend extract fail fetch fill filter finalize find finish fire fix flag
	flush follow force forecast forget format forward freeze fulfill gather generate get give grant
	group guess halt handle handshake hash have heartbeat hide hold identify ignore import include
	increase increment index infer inform ingest initialize initiate inject insert inspect install
	instantiate intercept introspect invalidate invite invoke is issue join judge keep kick kill
	label launch learn leave lend like limit link list listen load localize locate lock login logout
	lookup make manage map mark match measure merge migrate mint mirror modify monitor mount move
	mute mutate negotiate normalize notify observe obtain offer open optimize outbid pack parse
	partition patch pause pay perform persist pick pin ping place play plan poll pop populate post
	precompute predict preload prepare preview print probe process produce promote propose protect
	provide provision prune publish pull purchase purge push put query queue quit quote rank rate
	react read rebalance reboot rebuild recall receive recognize recommend reconcile reconnect record
	recover recreate redeem redirect reduce refer refresh refund regenerate register reindex reject
	release reload relocate rematch remind remove rename render renew reopen reorder repair repeat
	replace replay replicate reply report repost request require rescan reschedule resend reserve
	reset resize resolve respond restart restore restrict resume resync retire retrieve retry return
	revert review revise revoke reward rewind rewrite roll rollback rotate route run sample sanitize
	save scale scan schedule score scrape scroll seal search seed select sell send serve set settle
	setup share ship show shuffle shutdown sign signal simulate skip snapshot solve sort spend split
	stage star start stat stop store stream submit subscribe suggest summarize suspend swap switch
	sync synchronize synthesize tag tail take terminate test tokenize toggle touch track train
	transact transcode transcribe transfer transform transition translate trigger trim truncate
	unarchive unassign unbind unblock unclaim undelete undeploy undo unfollow unfreeze uninstall
	unlink unlock unmount unmute unpack unpause unpin unpublish unregister unshare unstar unsubscribe
	untag unwatch update upgrade upload upsert use validate verify view visit void vote wait wake
	warm watch whitelist withdraw withhold wrap write yield zip
	analyse authorise finalise initialise localise normalise optimise organise organize recognise
	sanitise summarise synchronise`)

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
