package lint

import "buf.build/go/bufplugin/check/checkutil"

// rules is the table, from the service down to the field.
func rules() []rule {
	return []rule{{
		id:      "SVC_RPC_VERB_FIRST",
		purpose: "Checks that RPCs begin with a verb.",
		why: "An RPC does something: `GetOrder` says what in code, traces and alerts, and sorts with its like, `OrderGet` and `Order` " +
			"leave it to be guessed. Some 500 verbs are known, in any case of letters; `RPC_PASCAL_CASE` of buf sees to the rest of the " +
			"name. A verb of your trade goes into the option.",
		bad: `
message OrderGetRequest {}
message OrderGetResponse {}
service OrderService {
  rpc OrderGet(OrderGetRequest) returns (OrderGetResponse);
}`,
		good: `
message GetOrderRequest {}
message GetOrderResponse {}
service OrderService {
  rpc GetOrder(GetOrderRequest) returns (GetOrderResponse);
}`,
		handler: over(checkutil.NewMethodRuleHandler, verbFirst),
	}, {
		id:      "SVC_SERVICE_RPC_LIMIT",
		purpose: "Checks that no service has more RPCs than one team can answer for.",
		why: "A service is the unit of deployment here: one image, one database, one on-call. With its RPCs grow the reasons to " +
			"release it, the load that one scale setting must fit, and the damage of one bad change. Split by what belongs " +
			"together; RPCs that are removed soon are better deprecated and ignored by a comment on the service.",
		bad: `
message GetUserRequest {}
message GetUserResponse {}
message GetOrderRequest {}
message GetOrderResponse {}
service ShopService {
  rpc GetUser(GetUserRequest) returns (GetUserResponse);
  rpc GetOrder(GetOrderRequest) returns (GetOrderResponse);
}`,
		good: `
message GetUserRequest {}
message GetUserResponse {}
message GetOrderRequest {}
message GetOrderResponse {}
service UserService {
  rpc GetUser(GetUserRequest) returns (GetUserResponse);
}
service OrderService {
  rpc GetOrder(GetOrderRequest) returns (GetOrderResponse);
}`,
		with:    map[string]any{"service_rpc_limit": int64(1)},
		handler: over(checkutil.NewServiceRuleHandler, rpcLimit),
	}, {
		id:      "SVC_LIST_PAGINATION",
		purpose: "Checks that List RPCs answer in pages.",
		why: "A list without pages works until the table has grown: then it breaks the limit of a message, the deadline or the memory, " +
			"and pages cannot be added without breaking callers, who take the first one for all. Asked of RPCs whose first " +
			"word is List and that do not stream: `page_size`, an integer, and `page_token` in the request, `next_page_token` " +
			"in the response (AIP-158). For a list that is short by its nature, ignore it by a comment on the RPC.",
		bad: `
message ListOrdersRequest {}
message ListOrdersResponse {
  repeated string order_ids = 1;
}
service OrderService {
  rpc ListOrders(ListOrdersRequest) returns (ListOrdersResponse);
}`,
		good: `
message ListOrdersRequest {
  int32 page_size = 1;
  string page_token = 2;
}
message ListOrdersResponse {
  repeated string order_ids = 1;
  string next_page_token = 2;
}
service OrderService {
  rpc ListOrders(ListOrdersRequest) returns (ListOrdersResponse);
}`,
		handler: over(checkutil.NewMethodRuleHandler, pagination),
	}, {
		id:      "SVC_RPC_CALL_ERRORS",
		purpose: "Checks that RPCs say what becomes of the errors of those that they call.",
		why: "An error of a callee that `errors` and `map_errors` do not name passes on to the caller as it is, who has never heard of the " +
			"callee, and finds it in no contract. Asked of services with a lenient contract, which is the default, and of methods under `calls`; " +
			"under a strict contract `protoc-gen-svc` refuses such a call (`error-undeclared`). A rule sees one module and what its files " +
			"import: nothing is said of callees and errors that are declared elsewhere.",
		bad: callExample(""),
		good: callExample(`
      map_errors: {
        from: "BANK_ERROR_DECLINED"
        handled: true
      }`),
		handler: over(checkutil.NewMethodRuleHandler, callErrors),
	}, {
		id:      "SVC_MESSAGE_NESTING_LIMIT",
		purpose: "Checks that messages are not declared deep inside each other.",
		why: "A nested message belongs to its parent: nothing else should use it, and its Go name is all of the path, " +
			"`Order_Item_Discount_Rule`. What is worth four levels is worth a name of its own. Only the first message that is " +
			"too deep is told, since those inside of it move with it.",
		bad: `
message Order {
  message Item {
    message Discount {
      message Rule {}
    }
  }
}`,
		good: `
message Order {
  message Item {
    message Discount {}
  }
}
message DiscountRule {}`,
		handler: over(checkutil.NewMessageRuleHandler, nestingLimit),
	}, {
		id:      "SVC_FIELD_NUMBER_GAP",
		purpose: "Checks that numbers missing between fields are reserved.",
		why: "A removed field whose number is not reserved will be used again, and then old senders and stored bytes are read as " +
			"what they are not, without an error. A lint rule sees one version only, so it asks for the reason of every missing " +
			"number below the highest field. Where gaps are meant (blocks of ten, say), reserve them too or turn the rule off. " +
			"What was removed compared to an earlier version is the business of `buf breaking`: `FIELD_NO_DELETE`, " +
			"`FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED` and `FIELD_NO_DELETE_UNLESS_NAME_RESERVED`; those also see a removed last field, " +
			"which leaves no gap.",
		bad: `
message Order {
  string order_id = 1;
  string user_id = 3;
}`,
		good: `
message Order {
  reserved 2;
  reserved "coupon";
  string order_id = 1;
  string user_id = 3;
}`,
		handler: over(checkutil.NewFieldRuleHandler, numberGap),
	}, {
		id:      "SVC_FIELD_REQUIRED_OPTIONAL",
		purpose: "Checks that proto3 fields are not optional and required at once.",
		why: "`optional` tells the reader and the generated API that the field may be absent, `(buf.validate.field).required` " +
			"that a message without it is refused: one of the two is not meant. If it is meant, because zero is a value that must " +
			"be sent explicitly, say so in the comment that ignores the rule. In proto2 every field has a label and in editions " +
			"none has, so the rule is about proto3; labels `required` of proto2 are found by `FIELD_NOT_REQUIRED` of buf.",
		bad: `
message CreateUserRequest {
  optional string email = 1 [(buf.validate.field).required = true];
}`,
		good: `
message CreateUserRequest {
  string email = 1 [(buf.validate.field).required = true];
  optional string nickname = 2;
}`,
		handler: over(checkutil.NewFieldRuleHandler, requiredOptional),
	}, {
		id:      "SVC_FIELD_MONEY_FLOAT",
		purpose: "Checks that amounts of money are not float or double.",
		why: "Binary fractions cannot hold 0.10: sums drift by cents, and equal amounts compare unequal. Looked at are fields, and maps, of " +
			"float, double and their wrappers whose name ends with a word for money (amount, price, total, cost, fee, balance, …), not counting " +
			"units after it: `unit_price`, `total_usd`, `price_per_item`. A rate or a ratio is no money. Where the amount is one of " +
			"sugar, name its unit (`amount_grams`) or ignore the rule by a comment on the field.",
		bad: `
message Order {
  double total_price = 1;
}`,
		good: `
message Order {
  int64 total_price_minor = 1;
  string currency_code = 2;
  double tax_rate = 3;
}`,
		handler: over(checkutil.NewFieldRuleHandler, moneyFloat),
	}}
}

// callExample is a call of a method with an error, and what the caller's contract
// says beside it.
func callExample(beside string) string {
	return `
message PayRequest {}
message PayResponse {}
service BankService {
  rpc Pay(PayRequest) returns (PayResponse) {
    option (svc.v1.method) = {errors: "BANK_ERROR_DECLINED"};
  }
}
enum BankError {
  BANK_ERROR_UNSPECIFIED = 0;
  BANK_ERROR_DECLINED = 1 [(svc.v1.error) = {code: FAILED_PRECONDITION}];
}
service ShopService {
  rpc Buy(PayRequest) returns (PayResponse) {
    option (svc.v1.method) = {
      calls: "BankService/Pay"` + beside + `
    };
  }
}`
}
