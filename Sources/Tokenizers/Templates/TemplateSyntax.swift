/// An expression of a template and the line where it begins.
struct TemplateExpression: Sendable {
    indirect enum Kind: Sendable {
        case literal(JinjaValue)
        case name(String)
        case list([TemplateExpression], isTuple: Bool)
        case map([(TemplateExpression, TemplateExpression)])
        case attribute(TemplateExpression, String)
        case item(TemplateExpression, TemplateExpression)
        case slice(TemplateExpression, TemplateExpression?, TemplateExpression?, TemplateExpression?)
        case call(TemplateExpression, TemplateArguments)
        case filter(TemplateExpression, String, TemplateArguments)
        case test(TemplateExpression, String, TemplateArguments, isNegated: Bool)
        case not(TemplateExpression)
        case negative(TemplateExpression)
        case positive(TemplateExpression)
        case binary(TemplateOperator, TemplateExpression, TemplateExpression)
        case compare(TemplateExpression, [(TemplateComparison, TemplateExpression)])
        case concatenation([TemplateExpression])
        case and(TemplateExpression, TemplateExpression)
        case or(TemplateExpression, TemplateExpression)
        /// Value, condition, alternative.
        case conditional(TemplateExpression, TemplateExpression, TemplateExpression?)
    }

    var kind: Kind
    var line: Int
}

enum TemplateOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case remainder = "%"
    case power = "**"
}

enum TemplateComparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}

struct TemplateArguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(String, TemplateExpression)] = []
}

/// What a value is assigned to.
enum TemplateTarget: Sendable {
    case name(String)
    case names([TemplateTarget])
    /// A field of a namespace.
    case attribute(String, String)
}

/// A statement of a template and the line where it begins.
struct TemplateStatement: Sendable {
    indirect enum Kind: Sendable {
        case text(String)
        case output(TemplateExpression)
        case ifElse([(TemplateExpression, [TemplateStatement])], [TemplateStatement])
        case forEach(TemplateLoop)
        case set(TemplateTarget, TemplateExpression)
        case setBlock(TemplateTarget, [TemplateStatement], filters: [TemplateFilterCall])
        case macro(TemplateMacro)
        /// Calls a macro that renders `body` by `caller()`.
        case callBlock(TemplateExpression, TemplateMacro)
        case filterBlock([TemplateFilterCall], [TemplateStatement])
        case with([(TemplateTarget, TemplateExpression)], [TemplateStatement])
        /// Statements without a scope of their own.
        case group([TemplateStatement])
        case breakLoop
        case continueLoop
    }

    var kind: Kind
    var line: Int
}

struct TemplateLoop: Sendable {
    var target: TemplateTarget
    var sequence: TemplateExpression
    var condition: TemplateExpression?
    var body: [TemplateStatement]
    var alternative: [TemplateStatement]
}

struct TemplateMacro: Sendable {
    var name: String
    var parameters: [(name: String, standard: TemplateExpression?)]
    var body: [TemplateStatement]
}

struct TemplateFilterCall: Sendable {
    var name: String
    var arguments: TemplateArguments
    var line: Int
}

/// Bounds on what a template may be and do; templates come with models and are not trusted.
package struct TemplateLimits: Sendable {
    package var sourceBytesMax = 1 << 20
    /// Statements, expressions, and the size of what they make.
    package var stepsMax = 4_000_000
    package var outputBytesMax = 1 << 25
    /// Calls and expressions inside each other; and, apart from that, values.
    package var depthMax = 300
    /// Elements of one `range`.
    package var rangeCountMax = 100_000
    package var timeMax: Duration = .seconds(2)

    package static let standard = TemplateLimits()

    /// Brackets, operators and blocks inside each other, and links of one chain, in the source.
    static let nestingMax = 100
    static let chainMax = 150
}
