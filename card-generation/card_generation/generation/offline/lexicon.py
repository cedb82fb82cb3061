"""Word lists of the languages that the offline generator knows: data only, in lower case.

They are short on purpose: enough to tell function words from words of meaning, and to see that a
sentence leans on the one before it.
"""


def _list(words: str) -> frozenset[str]:
    return frozenset(words.split())


STOPWORDS: dict[str, frozenset[str]] = {
    "en": _list(
        """a about above across after again against all almost along already also although always am among
        an and another any are around as at away back be became because become becomes been before being
        below between both but by called came can cannot come could did do does doing done down during each
        either else enough especially even ever every few first for from further gave get give given go had
        has have having he her here hers him his how however i if in inside instead into is it its itself
        just known last later least less like made mainly make makes making many may me might more most
        much must my near neither never no nor not now of off often on once one only onto or other others
        our out over own part perhaps quite rather same second see several shall she should since so some
        soon still such take taken takes than that the their them then there therefore these they third
        this those though three through thus to together too took toward towards two under until up upon
        us use used uses using usually very was way we well went were what when where whether which while
        who whom whose why will with within without would yet you your"""
    ),
    "de": _list(
        """ab aber alle allem allen aller alles als also am an andere anderen anderer anderes auch auf aus
        außer außerdem bei beim bereits bevor bezeichnet bis bis da dabei dadurch dafür daher damit danach
        dann daran darauf das dass dazu dem den denen denn der deren des dessen die dies diese diesem diesen
        dieser dieses doch dort durch ein eine einem einen einer eines einige einigen er erst es etwa für
        ganz gegen genannt hat hatte hatten hier hinter ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in
        indem ins ist ja jede jedem jeden jeder jedes jedoch kann kein keine keinen können konnte konnten man
        mehr mehrere meist meisten mit muss müssen nach nachdem nein nicht noch nun nur ob oder ohne sehr sein
        seine seinem seinen seiner seit sich sie sind so sobald sogar solche sollen sowie über um und uns
        unter viel viele vielen vom von vor während war waren weil weitere welche welcher wenn werden wie
        wieder wird wir wo wobei wodurch wurde wurden zu zum zur zwar zwei drei zwischen"""
    ),
    "fr": _list(
        """à afin ai ainsi alors au aucun aussi autre autres aux avant avec avoir c car ce ceci cela celle
        celles celui cependant ces cet cette ceux chaque chez comme comment contre d dans de depuis des
        deux donc dont du durant elle elles en encore enfin entre est et était étaient été être eu eux fait
        furent fut il ils j jusque l la laquelle le lequel les lesquels leur leurs lors lorsque lui m mais
        même mêmes moins n ne ni non nos notre nous on ont ou où par parce parfois pas peu peut peuvent plus
        plusieurs pour pourquoi puis qu quand que quel quelle quelques qui quoi s sa sans se selon ses si
        sinon son sont sous sur t tandis tous tout toute toutes très trois un une vers vos votre vous y"""
    ),
    "es": _list(
        """a además al algo algunas algunos ante antes así aunque cada casi como con contra cual cuales cuando
        de del desde después donde dos durante e el él ella ellas ellos en entre era eran es esa esas ese eso
        esos esta está están estas este esto estos fue fueron gran ha había habían han hasta hay la las le les
        lo los luego más me mediante menos mi mientras mismo mucho muchos muy ni no nos o otra otras otro otros
        para pero poco por porque pues puede pueden que qué quien quienes se según ser si sí sido sin sobre
        solo son su sus también tan tanto tiene tienen toda todas todo todos tras tres tu un una uno unos y ya"""
    ),
    "it": _list(
        """a ad agli ai al alla alle allo altre altri altro anche ancora c che chi ci ciò ciascuno come con
        contro così cui d da dagli dai dal dalla dalle dallo degli dei del della delle dello dentro di dopo
        dove due durante e è ed era erano essere fa fino fra fu furono gli ha hanno i il in invece io l la le
        lei li lo loro lui ma mentre molti molto ne negli nei nel nella nelle nello noi non nostro o ogni oltre
        ora per perché però più poi possono presso prima può qual quale quali quando quanto quella quelle quelli
        quello questa queste questi questo qui s se sé sei sempre senza si sia solo sono sopra sotto stata stati
        stato su sua sue sugli sui sul sulla sulle suo suoi tra tre tutta tutte tutti tutto un una uno verso"""
    ),
}

COMMON_ABBREVIATIONS = _list(
    "cf dr et al etc fig i.e e.g ibid p pp prof st vol vs ca ed eds op cit approx inc ltd"
)

FINAL_ABBREVIATIONS = _list("etc al inc ltd co jr sr ecc usw b.c a.d v.chr n.chr ac a.c")
"""Abbreviations that may end a sentence."""

ABBREVIATIONS: dict[str, frozenset[str]] = {
    "en": _list(
        """mr mrs ms messrs mt jr sr gen col capt lt sgt rev hon gov sen rep pres dept univ est
        jan feb aug sept oct nov dec no nos viz resp incl ch sec eq ref b.c a.d e.g i.e"""
    ),
    "de": _list(
        """z.b d.h u.a bzw usw nr hr fr abb bd jh jhd sog evtl ggf inkl vgl s.o s.u u.ä o.ä z.t v.chr n.chr
        chr b d.i geb gest mio mrd str tel i.d.r z u v n"""
    ),
    "fr": _list("m mm mme mmes mlle p.ex ex av apr j.-c env art chap n° éd"),
    "es": _list("sr sra sres srta ud uds dra p.ej ej a.c d.c av núm pág págs cap art ee.uu"),
    "it": _list("sig sigg sig.ra dott dott.ssa ing avv pag pagg art cap p.es es a.c d.c sec ecc"),
}

DEPENDENT_STARTS: dict[str, frozenset[str]] = {
    "en": _list(
        """it its they their them this these those that such he she his her him here there then thus therefore
        hence so however moreover furthermore also but and or nor yet another others both neither either
        instead consequently additionally similarly likewise meanwhile afterwards we you i what which who
        when why how each some many most all one if because another similarly otherwise nevertheless"""
    ),
    "de": _list(
        """er sie es ihr ihre ihren sein seine dieser diese dieses diesen diesem dies jener jene hier dort
        dann danach daher deshalb deswegen dadurch dabei damit darum dazu jedoch aber und oder auch außerdem
        zudem so somit also dennoch wir man was welche welcher wer wenn weil beide andere viele einige manche
        anschließend trotzdem hierbei hierzu solche"""
    ),
    "fr": _list(
        """il elle ils elles ce cet cette ces cela ceci c' son sa ses leur leurs ici là alors ainsi donc puis
        ensuite cependant toutefois mais et ou aussi enfin nous on vous qui que quand si car certains
        plusieurs chacun d'autres celui-ci celle-ci ceux-ci c'est"""
    ),
    "es": _list(
        """él ella ellos ellas este esta estos estas ese esa eso esto su sus aquí allí entonces así luego
        después además también pero y o sin por nosotros quien que cuando si porque algunos muchos cada ambos"""
    ),
    "it": _list(
        """egli esso essa essi esse lui lei loro questo questa questi queste quello quella ciò suo sua suoi qui
        lì allora così quindi dunque poi inoltre anche ma e o però infatti noi chi che quando se perché alcuni
        molti ogni entrambi tuttavia"""
    ),
    "zh": _list(
        "它 它们 他 他们 她 她们 这 这些 那 那些 此 其 因此 所以 但 但是 而 然而 不过 同时 另外 此外 并且 如果 因为 于是"
    ),
    "ja": _list(
        "これ それ あれ この その あの ここ そこ しかし だが また そして そのため したがって つまり 彼 彼女 さらに なお ただし 例えば"
    ),
}

VAGUE_SUBJECTS: dict[str, frozenset[str]] = {
    "en": _list(
        """result results reason reasons problem problems question answer point idea aim goal first second third
        last next other others effect effects consequence consequences cause causes example examples difference
        differences number thing things way ways case cases latter former rest outcome purpose note step
        following best worst main key fact other warning tip hint source figure table chapter summary"""
    ),
    "de": _list(
        """folge folgen grund gründe ergebnis ergebnisse ziel problem frage antwort beispiel beispiele unterschied
        ursache ursachen zweck erste zweite letzte anzahl wirkung auswirkung hinweis tipp quelle abbildung
        tabelle kapitel merke achtung"""
    ),
    "fr": _list(
        """résultat résultats raison raisons problème but question réponse exemple exemples différence cause
        causes conséquence conséquences premier première dernier effet nombre remarque note source figure"""
    ),
    "es": _list(
        """resultado resultados razón razones problema objetivo pregunta respuesta ejemplo ejemplos diferencia
        causa causas consecuencia consecuencias primero primera último efecto número nota fuente figura"""
    ),
    "it": _list(
        """risultato risultati ragione motivo problema scopo domanda risposta esempio esempi differenza causa
        cause conseguenza conseguenze primo prima ultimo effetto numero nota fonte figura"""
    ),
}

ARTICLES: dict[str, frozenset[str]] = {
    "en": _list("a an the"),
    "de": _list("der die das ein eine den dem des einen einem einer eines"),
    "fr": _list("le la les un une des l'"),
    "es": _list("el la los las un una unos unas"),
    "it": _list("il lo la i gli le un uno una l'"),
}

PERSON_NOUNS = _list(
    """activist admiral architect artist astronomer author bishop biologist botanist chancellor chemist commander
    composer dictator diplomat economist emperor empress engineer explorer general historian inventor
    journalist judge king lawyer leader mathematician minister monarch monk mathematician naturalist nurse
    officer painter philosopher physician physicist playwright poet politician pope president priest prince
    princess prophet psychologist queen reformer revolutionary ruler sailor scholar scientist sculptor
    sociologist soldier statesman sultan teacher theologian tsar writer woman man"""
)
"""English words after which a question asks *who*."""

PREPOSITIONS = _list(
    """in on at by from to for with during after before since under over between among about as through into
    im am an auf bei nach vor seit während unter über durch für mit von zu aus
    en dans par pour avec pendant après avant depuis sous sur à selon
    por para con durante desde tras bajo sobre según entre
    nel nella nei con per durante dopo dal da su sotto secondo tra fra"""
)
"""Words that open a phrase which is no subject."""
