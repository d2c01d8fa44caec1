// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// A contract for tests: it fails in every way that there is, hands on what it
/// is sent, and uses gas.
contract Reverter {
    error TooMuch(address who, uint256 asked, uint256 most);

    uint256 private slot;

    function text(string calldata why) external pure { revert(why); }
    function silent() external pure { revert(); }
    function custom(uint256 asked) external view { revert TooMuch(msg.sender, asked, 1); }
    function asserts() external pure { assert(false); }
    function overflows(uint256 n) external pure returns (uint256) { return type(uint256).max + n; }

    function forward(address payable to) external payable {
        (bool ok,) = to.call{value: msg.value}("");
        require(ok, "not taken");
    }

    function burn(uint256 n) external {
        for (uint256 i = 0; i < n; i++) slot = i + 1;
    }

    /// Fails the second time that it is called.
    function once() external {
        require(slot == 0, "once only");
        slot = 1;
    }
}
